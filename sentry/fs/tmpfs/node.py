"""Inodes in memory: what all kinds have in common (inode(7), tmpfs(5), xattr(7))."""

from typing import TYPE_CHECKING

from sentry.vfs.acl import ACCESS_NAME
from sentry.vfs.inode import Inode
from sentry.vfs.stat import Attr, SetAttr
from syscalls.abi.errno import EEXIST, ENODATA, ENOSPC
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFLNK, S_IFMT
from syscalls.abi.xattr import XATTR_CREATE, XATTR_REPLACE

if TYPE_CHECKING:
    from sentry.fs.tmpfs.filesystem import TmpFileSystem
    from sentry.vfs.acl import Acl

XATTR_BYTES_MAX = 128 << 10


class Node(Inode):
    """An object in memory. ``attr`` is changed in place; ``_own`` is called before every change (the overlay copies up there)."""

    __slots__ = ("xattrs",)

    fs: "TmpFileSystem"

    def __init__(self, fs: "TmpFileSystem", attr: Attr) -> None:
        super().__init__(fs, attr)
        self.xattrs: dict[bytes, bytes] | None = None
        fs.inodes_used += 1

    def __del__(self) -> None:
        self.fs.inodes_used -= 1

    def _own(self) -> None:
        """About to change."""

    async def setattr(self, change: SetAttr) -> None:
        """Apply ``change`` at once. Errors: ENOSPC, EFBIG."""
        self._own()
        attr = self.attr
        now = self.fs.now()
        if change.size is not None:
            await self._resize(change.size)
            attr = self.attr
            attr.mtime_ns = now
        if change.mode is not None:
            attr.mode = attr.mode & S_IFMT | change.mode & 0o7777
            if attr.acl is not None:
                attr.acl = attr.acl.with_mode(attr.mode)
        if change.uid is not None:
            attr.uid = change.uid
        if change.gid is not None:
            attr.gid = change.gid
        if change.atime_ns is not None:
            attr.atime_ns = change.atime_ns
        if change.mtime_ns is not None:
            attr.mtime_ns = change.mtime_ns
        attr.ctime_ns = now

    async def _resize(self, size: int) -> None:
        """Only regular files have a size to set; the caller has checked."""

    def touch(self) -> None:
        """The contents have changed now."""
        attr = self.attr
        attr.mtime_ns = attr.ctime_ns = self.fs.now()

    def add_link(self, change: int) -> None:
        """A name more or less."""
        self._own()
        self.attr.nlink += change
        self.attr.ctime_ns = self.fs.now()

    async def getxattr(self, name: bytes) -> bytes:
        """Errors: ENODATA."""
        value = (self.xattrs or {}).get(name)
        if value is None:
            raise SyscallError(ENODATA)
        return value

    async def setxattr(self, name: bytes, value: bytes, flags: int) -> None:
        """Errors: EEXIST, ENODATA, ENOSPC beyond the limit of one inode."""
        self._own()
        xattrs = self.xattrs if self.xattrs is not None else {}
        if flags & XATTR_CREATE and name in xattrs:
            raise SyscallError(EEXIST)
        if flags & XATTR_REPLACE and name not in xattrs:
            raise SyscallError(ENODATA)
        used = sum(len(key) + len(text) for key, text in xattrs.items() if key != name)
        if used + len(name) + len(value) > XATTR_BYTES_MAX:
            raise SyscallError(ENOSPC)
        xattrs[name] = value
        self.xattrs = xattrs
        self.attr.ctime_ns = self.fs.now()

    async def removexattr(self, name: bytes) -> None:
        """Errors: ENODATA."""
        self._own()
        if not self.xattrs or name not in self.xattrs:
            raise SyscallError(ENODATA)
        del self.xattrs[name]
        self.attr.ctime_ns = self.fs.now()

    async def listxattr(self) -> list[bytes]:
        """Names in order of creation."""
        return list(self.xattrs or ())

    def supports_acls(self) -> bool:
        """As tmpfs and the usual file systems of disks do."""
        return self.attr.mode & S_IFMT != S_IFLNK

    async def set_acl(self, name: bytes, acl: "Acl | None") -> None:
        """Kept beside the mode."""
        self._own()
        if name == ACCESS_NAME:
            self.attr.acl = acl
        else:
            self.attr.default_acl = acl
        self.attr.ctime_ns = self.fs.now()


class Special(Node):
    """A FIFO, socket or device node: a name for something that lives elsewhere."""

    __slots__ = ()


class Symlink(Node):
    """A symbolic link."""

    __slots__ = ()

    async def readlink(self) -> bytes:
        """The text."""
        assert self.link_text is not None
        return self.link_text
