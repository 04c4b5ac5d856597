"""The inode: what every file system implements. Defaults refuse, as Linux does for an absent operation.

Every method that may have to ask a gofer is a coroutine; a file system that lives in memory simply never suspends.
Permissions, read-only mounts, sticky folders and name lengths are checked by ``pathwalk``/``namespace`` before these are called:
an inode does only the act. Names are ``bytes`` without slash or NUL.
"""

from typing import TYPE_CHECKING

from sentry.vfs.stat import Attr, SetAttr, StatFs
from syscalls.abi.errno import EINVAL, ENODATA, ENOTDIR, ENXIO, EOPNOTSUPP, EPERM
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.vfs.context import OpenContext
    from sentry.vfs.file import FileDescription


class FileSystem:
    """One mounted instance (a superblock). ``dev`` is its st_dev; ``name`` is what /proc/mounts shows as type."""

    name: bytes = b"none"

    def __init__(self, dev: int) -> None:
        self.dev = dev
        self.root: Inode

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


class Inode:
    """A file-system object. ``attr`` is always current for in-memory systems and a cache for remote ones."""

    __slots__ = ("__weakref__", "attr", "fs", "locks", "watches")

    #: lookups of this directory may be kept in the dentry cache, negative ones too
    is_cacheable = True
    #: /proc/PID/fd/N and friends: ``follow`` must be used instead of the link text
    is_magic_link = False

    def __init__(self, fs: FileSystem, attr: Attr) -> None:
        self.fs = fs
        self.attr = attr
        self.locks: object | None = None  # sentry.vfs.lock, made on demand
        self.watches: object | None = None  # sentry.fs.inotify, made on demand

    async def getattr(self) -> Attr:
        """Return current attributes (revalidated for a shared volume)."""
        return self.attr

    async def setattr(self, change: SetAttr) -> None:
        """Apply ``change``. Errors: EPERM, ENOSPC, EFBIG, EROFS."""
        raise SyscallError(EPERM)

    async def lookup(self, name: bytes) -> "Inode | None":
        """Return the child or None. Errors: ENOTDIR, EIO."""
        raise SyscallError(ENOTDIR)

    async def readlink(self) -> bytes:
        """Return the link text. Errors: EINVAL if not a symbolic link."""
        raise SyscallError(EINVAL)

    async def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> "Inode":
        """Make a regular file, FIFO, socket or device node by the type in ``mode``. Precondition: ``name`` is absent."""
        raise SyscallError(EPERM)

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

    async def rename(self, name: bytes, inode: "Inode", to: "Inode", to_name: bytes, replaced: "Inode | None", flags: int) -> None:
        """Move ``inode`` from here/``name`` to ``to``/``to_name`` (same file system), replacing ``replaced``."""
        raise SyscallError(EPERM)

    async def tmpfile(self, mode: int, uid: int, gid: int) -> "Inode":
        """O_TMPFILE: a file without a name."""
        raise SyscallError(EOPNOTSUPP)

    async def open(self, context: "OpenContext") -> "FileDescription":
        """Open the object; ``context`` bears the flags, the dentry and the opener. Errors: ENXIO, EROFS, ETXTBSY."""
        raise SyscallError(ENXIO)

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

    def forget(self) -> None:
        """The last dentry and the last open file are gone: release data and gofer handles."""
