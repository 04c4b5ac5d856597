"""Mounts: file systems at places of a tree (mount(2), mount_namespaces(7)), and what the whole kernel shares about them."""

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from sentry.vfs.context import Path
from sentry.vfs.dentry import Dentry, DentryCache
from sentry.vfs.mapped_files import MappedFiles
from syscalls.abi.errno import EBUSY, EINVAL, ENOSPC
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.vfs.context import OpenContext
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import FileSystem, Inode

MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_NOATIME: Final = 0x400
MS_NODIRATIME: Final = 0x800
MS_RELATIME: Final = 1 << 21
MOUNTS_MAX: Final = 10_000

_OPTIONS = (
    (MS_NOSUID, b"nosuid"),
    (MS_NODEV, b"nodev"),
    (MS_NOEXEC, b"noexec"),
    (MS_NOATIME, b"noatime"),
    (MS_NODIRATIME, b"nodiratime"),
    (MS_RELATIME, b"relatime"),
)

DeviceOpener = Callable[["Inode", "OpenContext"], "FileDescription | Awaitable[FileDescription]"]


class Mount:
    """One mount: ``root`` of ``fs`` is seen at ``mountpoint`` (a dentry of ``parent``'s file system; itself for a root mount)."""

    __slots__ = ("__weakref__", "flags", "fs", "id", "is_readonly", "mountpoint", "parent", "root", "source")

    def __init__(self, mount_id: int, fs: "FileSystem", root: Dentry, flags: int, source: bytes) -> None:
        self.id = mount_id
        self.fs = fs
        self.root = root
        self.source = source
        self.parent: Mount | None = None
        self.mountpoint: Dentry | None = None
        self.flags = 0
        self.is_readonly = False
        self.set_flags(flags)

    def __repr__(self) -> str:
        return f"<Mount {self.id} {self.fs.name!r}>"

    def set_flags(self, flags: int) -> None:
        """Replace the per-mount flags (MS_BIND|MS_REMOUNT)."""
        self.flags = flags
        self.is_readonly = bool(flags & MS_RDONLY)

    def options(self) -> bytes:
        """The per-mount options column of mountinfo: ``rw,nosuid``."""
        words = [b"ro" if self.is_readonly else b"rw"]
        words += [word for bit, word in _OPTIONS if self.flags & bit]
        return b",".join(words)


class MountNamespace:
    """The mount tree that a set of tasks sees."""

    __slots__ = ("_at", "references", "root", "table")

    def __init__(self, table: "MountTable", root: Mount) -> None:
        self.table = table
        self.root = root
        self.references = 1
        self._at: dict[tuple[Mount, Dentry], Mount] = {}

    @property
    def root_path(self) -> Path:
        """Where a task without chroot starts, below anything mounted over the root."""
        return self.top(Path(self.root, self.root.root))

    def mounted_at(self, mount: Mount, dentry: Dentry) -> Mount | None:
        """The mount that covers this place directly, or None."""
        return self._at.get((mount, dentry))

    def top(self, path: Path) -> Path:
        """Follow mounts stacked on ``path``."""
        while path.dentry.mounts_here:
            upper = self._at.get(path)
            if upper is None:
                break
            path = Path(upper, upper.root)
        return path

    def attach(self, mount: Mount, at: Path) -> None:
        """Mount ``mount`` over ``at``. Errors: ENOSPC beyond the limit of mounts."""
        if len(self._at) >= MOUNTS_MAX:
            raise SyscallError(ENOSPC)
        at = self.top(at)
        mount.parent, mount.mountpoint = at.mount, at.dentry
        self._at[at] = mount
        at.dentry.mounts_here += 1

    def detach(self, mount: Mount, *, is_lazy: bool = False) -> None:
        """umount2(2). Errors: EINVAL for the root or a foreign mount, EBUSY if something is mounted below."""
        if mount.parent is None or mount.mountpoint is None or self._at.get((mount.parent, mount.mountpoint)) is not mount:
            raise SyscallError(EINVAL)
        below = [child for child in self._at.values() if child.parent is mount]
        if below and not is_lazy:
            raise SyscallError(EBUSY)
        for child in below:
            self.detach(child, is_lazy=True)
        del self._at[mount.parent, mount.mountpoint]
        mount.mountpoint.mounts_here -= 1
        self.table.release(mount)

    def mounts(self) -> Iterator[Mount]:
        """All mounts in order of mounting, the root first."""
        yield self.root
        yield from sorted(self._at.values(), key=lambda mount: mount.id)

    def copy(self) -> "MountNamespace":
        """unshare(CLONE_NEWNS): the same tree from new mounts."""
        twins: dict[Mount, Mount] = {}
        for mount in self.mounts():
            twin = twins[mount] = self.table.clone(mount)
            if mount.parent is not None and mount.mountpoint is not None:
                twin.parent, twin.mountpoint = twins[mount.parent], mount.mountpoint
        namespace = MountNamespace(self.table, twins[self.root])
        for twin in twins.values():
            if twin.parent is not None and twin.mountpoint is not None:
                namespace._at[twin.parent, twin.mountpoint] = twin
                twin.mountpoint.mounts_here += 1
        return namespace


class DeviceRegistry:
    """Who opens device nodes: (S_IFCHR or S_IFBLK, major, minor) to an opener. Numbers as Linux encodes them in ``rdev``."""

    __slots__ = ("_openers",)

    def __init__(self) -> None:
        self._openers: dict[tuple[int, int, int], DeviceOpener] = {}

    def register(self, kind: int, major: int, minor: int, opener: DeviceOpener) -> None:
        """Serve the device (``kind`` S_IFCHR or S_IFBLK)."""
        self._openers[kind, major, minor] = opener

    def find(self, kind: int, rdev: int) -> DeviceOpener | None:
        """The opener of an encoded number, or None."""
        return self._openers.get((kind, *split_dev(rdev)))


class MountTable:
    """What all mount namespaces of a kernel share: numbers, the dentry cache, device drivers."""

    def __init__(self, dentries_max: int | None = None) -> None:
        self.cache = DentryCache() if dentries_max is None else DentryCache(dentries_max)
        self.devices = DeviceRegistry()
        #: what /proc/PID/maps needs
        self.mapped = MappedFiles()
        #: the devpts instance, once there is one (sentry.fs.devpts)
        self.terminals: Any = None
        #: set by boot: opens S_IFIFO inodes of any file system
        self.open_fifo: Callable[[Inode, OpenContext], Awaitable[FileDescription]] | None = None
        #: mount(2) for privileged guests: type to (source, options, flags) -> FileSystem
        self.file_system_types: dict[bytes, Callable[[bytes, bytes], FileSystem]] = {}
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
        self._next_id += 1
        self._uses[fs.dev] = self._uses.get(fs.dev, 0) + 1
        return Mount(self._next_id, fs, root, flags, source)

    def clone(self, mount: Mount, flags: int | None = None, root: Dentry | None = None) -> Mount:
        """A second mount of the same thing (bind mounts, new namespaces)."""
        return self.mount(
            mount.fs, mount.flags if flags is None else flags, mount.source, root if root is not None else mount.root
        )

    def release(self, mount: Mount) -> None:
        """A mount was detached; the last one of a file system releases it."""
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


def make_dev(major: int, minor: int) -> int:
    """Linux's encoded device number (makedev(3))."""
    return (minor & 0xFF) | (major & 0xFFF) << 8 | (minor & ~0xFF) << 12 | (major & ~0xFFF) << 32


def split_dev(dev: int) -> tuple[int, int]:
    """major(3) and minor(3)."""
    return (dev >> 8 & 0xFFF) | (dev >> 32 & ~0xFFF), (dev & 0xFF) | (dev >> 12 & ~0xFF)
