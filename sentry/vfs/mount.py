"""Mounts: file systems at places of a tree (mount(2), mount_namespaces(7)), and what the whole kernel shares about them."""

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final
from weakref import ReferenceType, ref

from sentry.vfs.context import Path
from sentry.vfs.dentry import Dentry, DentryCache
from sentry.vfs.file_handles import FileHandles
from sentry.vfs.mapped_files import MappedFiles
from sentry.vfs.peer_group import PeerGroup, inherit, join, make_private, make_slave, receivers
from syscalls.abi.errno import EBUSY, EINVAL, ELOOP, ENOSPC
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.vfs.context import OpenContext
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import FileSystem, Inode

MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_NOSYMFOLLOW: Final = 0x100
MS_NOATIME: Final = 0x400
MS_NODIRATIME: Final = 0x800
MS_RELATIME: Final = 1 << 21
MOUNTS_MAX: Final = 10_000
#: of all namespaces together
ALL_MOUNTS_MAX: Final = 100_000
_NAMESPACE_IDS: Final = 0xF0000000
UNIQUE_IDS: Final = 1 << 31

_OPTIONS = (
    (MS_NOSUID, b"nosuid"),
    (MS_NODEV, b"nodev"),
    (MS_NOEXEC, b"noexec"),
    (MS_NOATIME, b"noatime"),
    (MS_NODIRATIME, b"nodiratime"),
    (MS_RELATIME, b"relatime"),
    (MS_NOSYMFOLLOW, b"nosymfollow"),
)

DeviceOpener = Callable[["Inode", "OpenContext"], "FileDescription"]


class Mount:
    """One mount: ``root`` of ``fs`` is seen at ``mountpoint`` (a dentry of ``parent``'s file system; itself for a root mount)."""

    __slots__ = (
        "__weakref__",
        "_namespace",
        "children",
        "flags",
        "fs",
        "id",
        "is_marked",
        "is_readonly",
        "is_released",
        "is_unbindable",
        "master",
        "mountpoint",
        "parent",
        "peers",
        "root",
        "source",
    )

    def __init__(self, mount_id: int, fs: "FileSystem", root: Dentry, flags: int, source: bytes) -> None:
        self.id = mount_id
        self.fs = fs
        self.root = root
        self.source = source
        self.parent: Mount | None = None
        self.mountpoint: Dentry | None = None
        self.children: list[Mount] = []  # what is mounted on it, in order of mounting
        self.flags = 0
        self.is_readonly = False
        self.is_unbindable = False
        self.is_marked = False  # MNT_EXPIRE
        self.is_released = False
        self.peers: PeerGroup | None = None
        self.master: PeerGroup | None = None
        self._namespace: ReferenceType[MountNamespace] | None = None
        self.set_flags(flags)

    def __repr__(self) -> str:
        return f"<Mount {self.id} {self.fs.name!r}>"

    @property
    def namespace(self) -> "MountNamespace | None":
        """The tree that it is attached in."""
        return self._namespace() if self._namespace is not None else None

    @namespace.setter
    def namespace(self, value: "MountNamespace | None") -> None:
        self._namespace = None if value is None else ref(value)

    def set_flags(self, flags: int) -> None:
        """Replace the per-mount flags (MS_BIND|MS_REMOUNT)."""
        self.flags = flags
        self.is_readonly = bool(flags & MS_RDONLY) or self.fs.is_readonly

    def options(self) -> bytes:
        """The per-mount options column of mountinfo: ``rw,nosuid``."""
        words = [b"ro" if self.is_readonly else b"rw"]
        words += [word for bit, word in _OPTIONS if self.flags & bit]
        return b",".join(words)


class MountNamespace:
    """The mount tree that a set of tasks sees, or a detached one (open_tree(2)). ``id`` is its inode number in nsfs."""

    __slots__ = ("__weakref__", "id", "is_detached", "references", "root", "table")

    def __init__(self, table: "MountTable", root: Mount, *, is_detached: bool = False) -> None:
        self.table = table
        self.root = root
        self.references = 1
        self.id = 0 if is_detached else table.next_namespace_id()
        self.is_detached = is_detached
        for mount in self.subtree(root):
            mount.namespace = self

    def __del__(self) -> None:
        """Nobody sees this tree any more."""
        for mount in self.subtree(self.root):
            if mount.namespace is self or mount.namespace is None:
                self.table.take_off(mount)
                self.table.release(mount)

    @property
    def root_path(self) -> Path:
        """Where a task without chroot starts, below anything mounted over the root."""
        return self.top(Path(self.root, self.root.root))

    def mounted_at(self, mount: Mount, dentry: Dentry) -> Mount | None:
        """The mount that covers this place directly, or None."""
        return self.table.at.get((mount, dentry))

    def top(self, path: Path) -> Path:
        """Follow mounts stacked on ``path``."""
        while path.dentry.mounts_here:
            upper = self.table.at.get(path)
            if upper is None:
                break
            path = Path(upper, upper.root)
        return path

    def holds(self, mount: Mount) -> bool:
        """Whether ``mount`` is part of this tree."""
        return mount.namespace is self

    def subtree(self, mount: Mount) -> list[Mount]:
        """``mount`` and all below it, parents first."""
        found = [mount]
        for one in found:
            found.extend(one.children)
        return found

    def attach(self, mount: Mount, at: Path) -> None:
        """Mount ``mount``, with what is mounted on it already, over ``at``, here and wherever that is propagated to.

        Errors: ENOSPC beyond the limit of mounts.
        """
        at = self.top(at)
        table = self.table
        if len(table.at) >= MOUNTS_MAX:
            raise SyscallError(ENOSPC)
        targets = [other for other in receivers(at.mount) if other.namespace is not None and at.dentry.is_below(other.root)]
        if at.mount.peers is not None:
            for one in self.subtree(mount):
                table.share(one)
        copies = [(target, self.copy_tree(mount)) for target in targets]
        self._put(mount, at)
        for target, twin in copies:
            namespace = target.namespace
            assert namespace is not None
            if target.peers is None:
                for one in self.subtree(twin):
                    make_slave(one)
            namespace._put(twin, namespace.top(Path(target, at.dentry)))

    def _put(self, mount: Mount, at: Path) -> None:
        self.table.put_on(mount, at)
        for one in self.subtree(mount):
            one.namespace = self

    def copy_tree(self, mount: Mount, *, recursive: bool = True, root: Dentry | None = None) -> Mount:
        """A copy of ``mount`` (from ``root`` on) and, if ``recursive``, of what is mounted below that place, in no namespace.

        Unbindable mounts are left out. Errors: ENOSPC.
        """
        start = root if root is not None else mount.root
        table = self.table
        twins = {mount: table.clone(mount, root=start)}
        for one in self.subtree(mount)[1:] if recursive else ():
            parent, place = one.parent, one.mountpoint
            if parent is None or place is None or parent not in twins or one.is_unbindable:
                continue
            if parent is not mount or place.is_below(start):
                twin = twins[one] = table.clone(one)
                table.put_on(twin, Path(twins[parent], place))
        return twins[mount]

    def detach(self, mount: Mount, *, is_lazy: bool = False) -> None:
        """umount2(2), here and wherever that is propagated to. Errors: EINVAL the root or a foreign mount, EBUSY."""
        parent, place = mount.parent, mount.mountpoint
        if parent is None or place is None or not self.holds(mount):
            raise SyscallError(EINVAL)
        if not is_lazy and mount.children:
            raise SyscallError(EBUSY)
        for other in receivers(parent):
            twin = self.table.at.get((other, place))
            if twin is not None and (is_lazy or not twin.children):
                self.table.drop(twin)
        self.table.drop(mount)

    def move(self, mount: Mount, at: Path) -> None:
        """MS_MOVE. Errors: EINVAL the root, a shared parent, unbindable mounts below a shared one; ELOOP into itself."""
        parent = mount.parent
        if parent is None or not self.holds(mount) or parent.peers is not None:
            raise SyscallError(EINVAL)
        at = self.top(at)
        subtree = self.subtree(mount)
        if at.mount.peers is not None and any(one.is_unbindable for one in subtree):
            raise SyscallError(EINVAL)
        if at.mount in subtree:
            raise SyscallError(ELOOP)
        self.table.take_off(mount)
        self.attach(mount, at)

    def mounts(self) -> Iterator[Mount]:
        """All mounts in order of mounting, the root first."""
        root, *others = self.subtree(self.root)
        yield root
        yield from sorted(others, key=lambda mount: mount.id)

    def copy(self) -> "tuple[MountNamespace, dict[Mount, Mount]]":
        """unshare(CLONE_NEWNS): the same tree from new mounts, and which is whose copy. Errors: ENOSPC."""
        twins: dict[Mount, Mount] = {}
        for mount in self.subtree(self.root):
            twin = twins[mount] = self.table.clone(mount)
            twin.is_unbindable = mount.is_unbindable
            if mount.parent is not None and mount.mountpoint is not None:
                self.table.put_on(twin, Path(twins[mount.parent], mount.mountpoint))
        return MountNamespace(self.table, twins[self.root]), twins


class DeviceRegistry:
    """Who opens device nodes: (S_IFCHR or S_IFBLK, major, minor) to an opener. Numbers as Linux encodes them in ``rdev``."""

    __slots__ = ("_openers",)

    def __init__(self) -> None:
        self._openers: dict[tuple[int, int], DeviceOpener] = {}

    def register(self, kind: int, major: int, minor: int, opener: DeviceOpener) -> None:
        """Serve the device (``kind`` S_IFCHR or S_IFBLK)."""
        self._openers[kind, make_dev(major, minor)] = opener

    def find(self, kind: int, rdev: int) -> DeviceOpener | None:
        """The opener of an encoded number, or None."""
        return self._openers.get((kind, rdev))


class MountTable:
    """What all mount namespaces of a kernel share: numbers, the dentry cache, device drivers."""

    def __init__(self, dentries_max: int | None = None) -> None:
        self.cache = DentryCache() if dentries_max is None else DentryCache(dentries_max)
        self.devices = DeviceRegistry()
        #: what /proc/PID/maps needs
        self.mapped = MappedFiles()
        #: name_to_handle_at(2)
        self.handles = FileHandles()
        #: the devpts instance, once there is one (sentry.fs.devpts)
        self.terminals: Any = None
        #: set by boot: opens S_IFIFO inodes of any file system
        self.open_fifo: Callable[[Inode, OpenContext], Awaitable[FileDescription]] | None = None
        #: fs.protected_* of proc(5); one switch for regular files and FIFOs
        self.protected_symlinks = True
        self.protected_hardlinks = True
        self.protected_regular = False
        #: who waits for whose record lock, by descriptor table
        self.lock_waits: dict[object, object] = {}
        self._cookie = 0
        self._next_dev = 0
        self._next_id = 20
        self._uses: dict[int, int] = {}
        self._live = 0
        #: what covers a place; mounts of all namespaces, which have no mount in common
        self.at: dict[tuple[Mount, Dentry], Mount] = {}
        self._next_group = 0
        self._next_namespace = _NAMESPACE_IDS
        self._anonymous: Mount | None = None

    def next_cookie(self) -> int:
        """What ties the two events of a rename together (inotify(7))."""
        self._cookie = (self._cookie + 1) & 0xFFFFFFFF
        return self._cookie

    def allocate_dev(self) -> int:
        """A fresh st_dev for a file system without a device: 0:N, as Linux numbers them."""
        self._next_dev += 1
        return make_dev(0, self._next_dev)

    def mount(self, fs: "FileSystem", flags: int = 0, source: bytes = b"none", root: Dentry | None = None) -> Mount:
        """A mount of ``fs`` (bind: of the subtree ``root``), not attached anywhere yet."""
        if root is None:
            if fs.root_dentry is None:
                fs.root_dentry = Dentry(b"", None, fs.root)
            root = fs.root_dentry
        if self._live >= ALL_MOUNTS_MAX:
            raise SyscallError(ENOSPC)
        self._live += 1
        self._next_id += 1
        self._uses[fs.dev] = self._uses.get(fs.dev, 0) + 1
        return Mount(self._next_id, fs, root, flags, source)

    def clone(self, mount: Mount, flags: int | None = None, root: Dentry | None = None) -> Mount:
        """A second mount of the same thing (bind mounts, new namespaces)."""
        place = root if root is not None else mount.root
        twin = self.mount(mount.fs, mount.flags if flags is None else flags, mount.source, place)
        inherit(twin, mount)
        return twin

    def share(self, mount: Mount) -> None:
        """MS_SHARED: a peer group of its own, unless it has one."""
        if mount.peers is None:
            self._next_group += 1
            join(mount, PeerGroup(self._next_group))

    def put_on(self, mount: Mount, at: Path) -> None:
        """Tie ``mount`` to its place."""
        mount.parent, mount.mountpoint = at
        at.mount.children.append(mount)
        self.at[at] = mount
        at.dentry.mounts_here += 1

    def take_off(self, mount: Mount) -> None:
        """Off its place, with all that is mounted on it (MS_MOVE, pivot_root)."""
        parent, place = mount.parent, mount.mountpoint
        if parent is not None and place is not None:
            del self.at[parent, place]
            parent.children.remove(mount)
            place.mounts_here -= 1
            mount.parent = mount.mountpoint = None

    def drop(self, mount: Mount) -> None:
        """Unmount with all that is mounted on it."""
        for child in list(mount.children):
            self.drop(child)
        self.take_off(mount)
        mount.namespace = None
        self.release(mount)

    def next_namespace_id(self) -> int:
        """A fresh inode number for nsfs."""
        self._next_namespace += 1
        return self._next_namespace

    def release(self, mount: Mount) -> None:
        """A mount was detached; the last one of a file system releases it. Idempotent: a descriptor may have kept it."""
        if mount.is_released:
            return
        mount.is_released = True
        make_private(mount)
        self._live -= 1
        uses = self._uses.get(mount.fs.dev, 1) - 1
        self._uses[mount.fs.dev] = uses
        if uses == 0:
            mount.fs.release()

    def namespace(self, fs: "FileSystem", flags: int = 0, source: bytes = b"none") -> MountNamespace:
        """A new tree with ``fs`` at its root."""
        return MountNamespace(self, self.mount(fs, flags, source))

    def anonymous(self, fs: "FileSystem") -> Mount:
        """An internal mount for paths of things without a name (pipes, sockets); ``fs`` is used the first time."""
        if self._anonymous is None:
            self._anonymous = self.mount(fs, root=Dentry(b"", None, None))  # these file systems have no root
        return self._anonymous


def unique_id(mount: Mount) -> int:
    """A number that no other mount ever has (STATX_MNT_ID_UNIQUE); Linux's begin above 2^31 as well."""
    return mount.id + UNIQUE_IDS


def make_dev(major: int, minor: int) -> int:
    """Linux's encoded device number (makedev(3))."""
    return (minor & 0xFF) | (major & 0xFFF) << 8 | (minor & ~0xFF) << 12 | (major & ~0xFFF) << 32


def split_dev(dev: int) -> tuple[int, int]:
    """major(3) and minor(3)."""
    return (dev >> 8 & 0xFFF) | (dev >> 32 & ~0xFFF), (dev & 0xFF) | (dev >> 12 & ~0xFF)
