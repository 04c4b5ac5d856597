"""Inodes of an image: made from the index when somebody looks them up, without asking the gofer."""

from typing import TYPE_CHECKING

from sentry.fs.image.file import PackedFile
from sentry.fs.image.index import KIND_FILE, Record
from sentry.vfs.file import Entry
from sentry.vfs.inode import Inode
from sentry.vfs.stat import Attr
from syscalls.abi.errno import EINVAL, ENODATA, ENOTDIR, EROFS
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_ACCMODE, O_TRUNC
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from sentry.fs.image.filesystem import ImageFileSystem
    from sentry.vfs.context import OpenContext
    from sentry.vfs.file import FileDescription

_BLOCK = 4096


class ImageInode(Inode):
    """One object of an image. Nothing about it ever changes."""

    __slots__ = ("image", "record")

    def __init__(self, image: "ImageFileSystem", ino: int, record: Record) -> None:
        kind = record.mode & S_IFMT
        is_directory = kind == S_IFDIR
        size = _BLOCK if is_directory else record.size
        stored = size if is_directory or kind == S_IFREG else 0
        time = record.mtime_ns
        super().__init__(
            image,
            Attr(
                ino, record.mode, record.nlink, record.uid, record.gid, size, (stored + _BLOCK - 1) // _BLOCK * 8, _BLOCK,
                record.rdev, time, time, time, time,
            ),
        )  # fmt: skip
        self.image = image
        self.record = record
        if kind == S_IFLNK:
            self.link_text = image.index.text(record)

    async def lookup(self, name: bytes) -> "Inode | None":
        """The child or None. Errors: ENOTDIR."""
        return self.child(name)

    def child(self, name: bytes) -> "ImageInode | None":
        """``lookup`` for callers that need not wait. Errors: ENOTDIR."""
        record = self.record
        if record.mode & S_IFMT != S_IFDIR:
            raise SyscallError(ENOTDIR)
        index = self.image.index
        ino = index.find(record.where, record.length, name)
        return ImageInode(self.image, ino, index.record(ino)) if ino else None

    async def lookup_many(self, names: list[bytes]) -> "list[Inode | None]":
        """All that can be walked: nothing here ever waits."""
        found: list[Inode | None] = []
        inode: ImageInode | None = self
        for name in names:
            if inode is None or inode.record.mode & S_IFMT != S_IFDIR:
                break
            inode = inode.child(name)
            found.append(inode)
        if not found:
            raise SyscallError(ENOTDIR)
        return found

    async def read_children(self) -> list[Entry]:
        """All entries, by name. Errors: ENOTDIR."""
        record = self.record
        if record.mode & S_IFMT != S_IFDIR:
            raise SyscallError(ENOTDIR)
        return [Entry(name, ino, kind) for name, ino, kind in self.image.index.entries(record.where, record.length)]

    async def readlink(self) -> bytes:
        """The link text. Errors: EINVAL."""
        if self.link_text is None:
            raise SyscallError(EINVAL)
        return self.link_text

    async def open(self, context: "OpenContext") -> "FileDescription":
        """Open for reading. Errors: EROFS; for a large file what the gofer answers."""
        record = self.record
        if record.mode & S_IFMT != S_IFREG:
            return await super().open(context)
        if context.flags & (O_ACCMODE | O_TRUNC):
            raise SyscallError(EROFS)
        if record.kind == KIND_FILE:
            return await (await self.image.content_of(record)).open(context)
        return PackedFile(self, context.flags, await self.image.pack_of(record) if record.size else -1)

    def open_now(self, context: "OpenContext") -> "FileDescription | None":
        """Directories."""
        return None if self.record.mode & S_IFMT == S_IFREG else super().open_now(context)

    async def getxattr(self, name: bytes) -> bytes:
        """Errors: ENODATA."""
        value = self.image.index.xattrs(self.record).get(name)
        if value is None:
            raise SyscallError(ENODATA)
        return value

    async def listxattr(self) -> list[bytes]:
        """The names, in the image's order."""
        return list(self.image.index.xattrs(self.record))
