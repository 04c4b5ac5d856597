"""The inode: what every file system implements. Defaults refuse, as Linux does for an absent operation.

Every method that may have to ask a gofer is a coroutine; a file system that lives in memory simply never suspends.
Permissions, read-only mounts, sticky folders and name lengths are checked by ``pathwalk``/``namespace`` before these are called:
an inode does only the act. Names are ``bytes`` without slash or NUL.
"""

from typing import TYPE_CHECKING, Any

from sentry.vfs.special import open_special, open_special_now
from sentry.vfs.stat import Attr, SetAttr, StatFs
from syscalls.abi.errno import EINVAL, ENODATA, ENOTDIR, EOPNOTSUPP, EPERM
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.acl import Acl
    from sentry.vfs.context import OpenContext, Path
    from sentry.vfs.dentry import Dentry
    from sentry.vfs.file import Entry, FileDescription


class FileSystem:
    """One mounted instance (a superblock). ``dev`` is its st_dev; ``name`` is what /proc/mounts shows as type."""

    name: bytes = b"none"
    #: whether renameat2(2) can leave a whiteout
    has_whiteouts = False
    #: nothing can ever be changed here, however it is mounted
    is_readonly = False

    def __init__(self, dev: int) -> None:
        self.dev = dev
        self.root: Inode
        #: made at the first mount, shared by all mounts of this instance
        self.root_dentry: Dentry | None = None

    async def statfs(self) -> StatFs:
        """Return the totals of this file system."""
        raise SyscallError(EOPNOTSUPP)

    async def sync(self) -> None:
        """Write everything back (syncfs)."""

    def mount_options(self) -> bytes:
        """The options column of /proc/mounts after rw/ro."""
        return b""

    def release(self) -> None:
        """Unmounted: free what it holds."""


def _never_now(inode: "Inode", context: "OpenContext") -> "FileDescription | None":
    """The ``open_now`` of a class that says no more than how to ``open``."""
    return None


class Inode:
    """A file-system object. ``attr`` is always current for in-memory systems and a cache for remote ones."""

    __slots__ = ("__weakref__", "attr", "bound", "fs", "is_linkable", "link_text", "locks", "watches", "write_hint", "writers")

    #: lookups of this directory may be kept in the dentry cache, negative ones too
    is_cacheable = True
    #: ``attr`` is always right: stat(2) needs no await. A class that defines ``getattr`` and does not say so gets False
    has_current_attr = True
    #: a lookup brings current attributes along: a stat(2) that has just looked up need not ask again
    has_fresh_lookup = False
    #: /proc/PID/fd/N and friends: ``follow`` must be used instead of the link text
    is_magic_link = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "getattr" in cls.__dict__ and "has_current_attr" not in cls.__dict__:
            cls.has_current_attr = False
        if "open" in cls.__dict__ and "open_now" not in cls.__dict__:
            cls.open_now = _never_now  # type: ignore[assignment, method-assign]

    def __init__(self, fs: FileSystem, attr: Attr) -> None:
        self.fs = fs
        self.attr = attr
        self.bound: Any = None  # the pipe of a FIFO, the socket bound to a socket inode
        self.is_linkable = False  # made by O_TMPFILE: linkat(2) may still give it a name
        self.link_text: bytes | None = None  # the text of a symbolic link, once known and certain not to change
        self.locks: Any = None  # sentry.vfs.lock.FileLocks, made on demand
        self.watches: list[Any] | None = None  # sentry.vfs.watch.Watch, made on demand
        self.write_hint = 0  # F_SET_RW_HINT
        self.writers = 0  # open descriptions that may write (ETXTBSY for exec)

    async def getattr(self) -> Attr:
        """Return current attributes (revalidated for a shared volume)."""
        return self.attr

    async def setattr(self, change: SetAttr) -> None:
        """Apply ``change``. Errors: EPERM, ENOSPC, EFBIG, EROFS."""
        raise SyscallError(EPERM)

    async def lookup(self, name: bytes) -> "Inode | None":
        """Return the child or None. Errors: ENOTDIR, EIO."""
        raise SyscallError(ENOTDIR)

    async def lookup_many(self, names: list[bytes]) -> "list[Inode | None]":
        """Walk ``names`` one below the other; returns what was found in order, at least one item.

        Ends early after a symbolic link, a non-directory or None (absent). Names are never `.` or `..`.
        """
        return [await self.lookup(names[0])]

    async def read_children(self) -> "list[Entry]":
        """Return all entries except `.` and `..` in a stable order. Errors: ENOTDIR, EIO."""
        raise SyscallError(ENOTDIR)

    async def follow(self, task: "Task") -> "Path":
        """Where a magic link leads. Errors: ENOENT, EACCES."""
        raise SyscallError(EINVAL)

    async def readlink(self) -> bytes:
        """Return the link text. Errors: EINVAL if not a symbolic link."""
        raise SyscallError(EINVAL)

    async def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> "Inode":
        """Make a regular file, FIFO, socket or device node by the type in ``mode``. Precondition: ``name`` is absent."""
        raise SyscallError(EPERM)

    def creates_unseen(self) -> bool:
        """Whether ``create`` finds out itself that a name is taken (EEXIST): a lookup before it would be a request more."""
        return False

    async def mkdir(self, name: bytes, mode: int, uid: int, gid: int) -> "Inode":
        """Make a directory."""
        raise SyscallError(EPERM)

    async def symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> "Inode":
        """Make a symbolic link."""
        raise SyscallError(EPERM)

    async def link(self, name: bytes, inode: "Inode") -> None:
        """Make a hard link to ``inode``, of the same file system."""
        raise SyscallError(EPERM)

    async def unlink(self, name: bytes, inode: "Inode") -> None:
        """Remove the non-directory ``name``."""
        raise SyscallError(EPERM)

    async def rmdir(self, name: bytes, inode: "Inode") -> None:
        """Remove the empty directory ``name``. Errors: ENOTEMPTY."""
        raise SyscallError(EPERM)

    async def rename(
        self, name: bytes, inode: "Inode", to: "Inode", to_name: bytes, replaced: "Inode | None", flags: int
    ) -> None:
        """Move ``inode`` from here/``name`` to ``to``/``to_name`` (same file system), replacing ``replaced``."""
        raise SyscallError(EPERM)

    async def tmpfile(self, mode: int, uid: int, gid: int) -> "Inode":
        """O_TMPFILE: a file without a name."""
        raise SyscallError(EOPNOTSUPP)

    async def open(self, context: "OpenContext") -> "FileDescription":
        """Open the object; ``context`` bears the flags, the dentry and the opener. Errors: ENXIO, EROFS.

        The default serves directories, device nodes and FIFOs of any file system.
        """
        return await open_special(self, context)

    def open_now(self, context: "OpenContext") -> "FileDescription | None":
        """``open`` of what is at hand; None where it must be awaited. Errors: as ``open``."""
        return open_special_now(self, context)

    async def getxattr(self, name: bytes) -> bytes:
        """Errors: ENODATA, EOPNOTSUPP."""
        raise SyscallError(EOPNOTSUPP if not name else ENODATA)

    async def setxattr(self, name: bytes, value: bytes, flags: int) -> None:
        """Errors: EOPNOTSUPP, ENOSPC, EEXIST, ENODATA."""
        raise SyscallError(EOPNOTSUPP)

    async def removexattr(self, name: bytes) -> None:
        """Errors: ENODATA, EOPNOTSUPP."""
        raise SyscallError(EOPNOTSUPP)

    async def listxattr(self) -> list[bytes]:
        """Return all names."""
        return []

    def supports_acls(self) -> bool:
        """Whether access control lists can be set: ``attr.acl`` and ``attr.default_acl`` are true then."""
        return False

    async def set_acl(self, name: bytes, acl: "Acl | None") -> None:
        """Keep a list (``sentry.vfs.acl.ACL_NAMES``), or none; the mode is the caller's business. Errors: EOPNOTSUPP, ENOSPC."""
        raise SyscallError(EOPNOTSUPP)

    def watch_added(self) -> None:
        """A watch (``sentry.vfs.watch``) was put on it: a shared tree must listen to the host."""

    def watch_removed(self) -> None:
        """One watch less."""

    def forget(self) -> None:
        """Free what the inode owns. Nobody counts: a class with host resources calls it from its own ``__del__``."""
