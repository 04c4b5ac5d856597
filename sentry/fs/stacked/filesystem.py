"""An overlay that a guest mounts: folders of other file systems, the topmost writable (mount -t overlay).

``sentry.fs.overlay`` is another thing: the sandbox's own root, whose changes live in memory and are no folder of anybody's.
"""

from dataclasses import replace
from struct import Struct
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from sentry.fs.stacked import layer
from sentry.fs.stacked.directory import StackedDirectory
from sentry.fs.stacked.layer import inode_at, is_directory
from sentry.fs.stacked.node import Lower, StackedNode
from sentry.vfs.inode import FileSystem, Inode
from sentry.vfs.stat import StatFs
from syscalls.abi.errno import EOPNOTSUPP, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFDIR

if TYPE_CHECKING:
    from sentry.fs.stacked.options import StackedOptions
    from sentry.vfs.context import Path
    from sentry.vfs.dentry import Dentry
    from sentry.vfs.mount import MountTable

OVERLAYFS_MAGIC: Final = 0x794C7630
_LAYER_SHIFT: Final = 56
_WORK: Final = b"work"
_ORIGIN: Final = Struct("<QQ")  # st_dev, st_ino


class StackedFileSystem(FileSystem):
    """``lowers`` are the folders below, the topmost first; ``upper`` and ``work`` lie on one file system, or are None."""

    name = b"overlay"

    def __init__(
        self, table: "MountTable", lowers: "list[Path]", upper: "Path | None", work: "Path | None", options: "StackedOptions"
    ) -> None:
        super().__init__(table.allocate_dev())
        self.cache = table.cache
        self.options = options
        space = b"user" if options.userxattr else b"trusted"
        self.marks = space + b".overlay."
        self.opaque, self.redirect_mark = self.marks + b"opaque", self.marks + b"redirect"
        self._origin_mark = self.marks + b"origin"
        self.follows_redirects = options.follows_redirects
        self.makes_redirects = options.makes_redirects
        # Mounts of our own keep the layers alive wherever they are unmounted.
        self._table = table
        self._pins = [table.clone(path.mount, root=path.dentry) for path in ([upper] if upper is not None else []) + lowers]
        self.lower_roots: tuple[Lower, ...] = tuple(enumerate(path.dentry for path in lowers))
        self._systems: list[FileSystem] = []
        for pin in self._pins:
            if pin.fs not in self._systems:
                self._systems.append(pin.fs)
        self.is_readonly = upper is None
        self._work_parent = work.dentry if work is not None else None
        self.work: Dentry | None = None
        self._copies = 0
        self._nodes: WeakValueDictionary[Inode, StackedNode] = WeakValueDictionary()
        self.root: StackedDirectory = self._directory(upper.dentry if upper is not None else None, self.lower_roots, None, b"")

    async def prepare(self) -> None:
        """An empty folder to make copies in. Errors: what the upper file system says."""
        if self._work_parent is None:
            return
        work = await layer.child_of(self.cache, self._work_parent, _WORK)
        if work is not None:
            if is_directory(inode_at(work)):
                await layer.empty(self.cache, work)
            await layer.remove(self.cache, work)
        made = await inode_at(self._work_parent).mkdir(_WORK, S_IFDIR, 0, 0)
        self.work = self.cache.add(self._work_parent, _WORK, made)

    def work_name(self) -> bytes:
        """A fresh name in the work folder."""
        self._copies += 1
        return b"#%x" % self._copies

    def ino_of(self, real: Inode) -> int:
        """The number that is shown for an object of a layer."""
        return self.shown_ino(real.fs, real.attr.ino)

    def shown_ino(self, fs: FileSystem, ino: int) -> int:
        """Numbers of several file systems must differ."""
        index = self._systems.index(fs) if fs in self._systems else len(self._systems)
        return ino ^ index << _LAYER_SHIFT

    async def note_origin(self, copy: Inode, source: Inode) -> None:
        """Write into a copy what it was made from, so that its number stays. A file system without attributes goes without."""
        try:
            await copy.setxattr(self._origin_mark, _ORIGIN.pack(source.fs.dev, source.attr.ino), 0)
        except SyscallError as error:
            if error.errno not in (EOPNOTSUPP, EPERM):
                raise

    async def origin_of(self, upper: Inode) -> int:
        """The number that a copy keeps, 0 for what is no copy (or one of a file system that is not a layer now)."""
        text = await layer.mark(upper, self._origin_mark)
        if len(text) != _ORIGIN.size:
            return 0
        dev, ino = _ORIGIN.unpack(text)
        return next((self.shown_ino(fs, ino) for fs in self._systems if fs.dev == dev), 0)

    def node(self, upper: "Dentry | None", lowers: tuple[Lower, ...], parent: StackedDirectory, name: bytes) -> StackedNode:
        """The node of an object: the one in use, if anybody uses it."""
        real = inode_at(upper if upper is not None else lowers[0][1])
        known = self._nodes.get(real)
        if known is not None and known.real is real and (upper is not None or (known.parent is parent and known.name == name)):
            return known  # a file of below with several names is as many files here (no index)
        if is_directory(real):
            node: StackedNode = self._directory(upper, lowers, parent, name)
        else:
            node = StackedNode(self, upper, lowers, parent, name)
        self.note(node)
        return node

    def note(self, node: StackedNode) -> None:
        """It is found by its contents from now on."""
        self._nodes[node.real] = node

    def _directory(
        self, upper: "Dentry | None", lowers: tuple[Lower, ...], parent: "StackedDirectory | None", name: bytes
    ) -> StackedDirectory:
        folder = StackedDirectory(self, upper, lowers, parent, name)
        folder.redirect = b""
        return folder

    def escaped(self, name: bytes) -> bytes:
        """A name in the overlay's own name space stands one level deeper in the layer (overlayfs.rst, nesting)."""
        return self.marks + b"overlay." + name[len(self.marks) :] if name.startswith(self.marks) else name

    def unescaped(self, name: bytes) -> bytes:
        """The name that is shown for a layer's, b"" for none."""
        if not name.startswith(self.marks):
            return name
        rest = name[len(self.marks) :]
        return self.marks + rest[len(b"overlay.") :] if rest.startswith(b"overlay.") else b""

    async def statfs(self) -> StatFs:
        """The totals of the upper file system."""
        return replace(await self._systems[0].statfs(), type=OVERLAYFS_MAGIC, fsid=self.dev)

    async def sync(self) -> None:
        """Those of the upper file system."""
        if not self.is_readonly:
            await self._systems[0].sync()

    def mount_options(self) -> bytes:
        """As /proc/mounts shows them."""
        return self.options.text()

    def release(self) -> None:
        """Unmounted: the layers may go too."""
        for pin in self._pins:
            self._table.release(pin)
        self._pins.clear()
