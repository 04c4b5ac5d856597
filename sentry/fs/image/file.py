"""Small files of an image: a stretch of a layer's pack, read without asking the gofer.

A mapping gets a copy in memory of its own, because a mapping of the pack would show what lies beside the file.
"""

from typing import TYPE_CHECKING

from sentry.host.regular_file import HostFd
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import EACCES, ENXIO
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.image.inode import ImageInode
    from sentry.vfs.io import Sink


class PackedFile(FileDescription):
    """``pack_fd`` belongs to the file system and stays open as long as that is mounted."""

    __slots__ = ("_base", "_inside", "_pack_fd", "_size")

    is_seekable = True

    def __init__(self, inode: "ImageInode", flags: int, pack_fd: int) -> None:
        super().__init__(inode, flags)
        self._inside = inode  # an overlay replaces ``inode``
        self._pack_fd = HostFd(pack_fd)
        self._base = inode.record.where
        self._size = inode.record.size

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Read from the pack, never beyond the file."""
        length = min(sink.remaining, self._size - offset)
        return sink.put_from_host(self._pack_fd, self._base + offset, length) if length > 0 else 0

    async def size(self) -> int:
        """Known for ever."""
        return self._size

    async def seek_data(self, offset: int, *, hole: bool) -> int:
        """All is data up to the end. Errors: ENXIO."""
        if offset >= self._size:
            raise SyscallError(ENXIO)
        return self._size if hole else offset

    async def fsync(self, *, data_only: bool) -> None:
        """Nothing to write back."""

    async def mapping_fd(self, *, writable: bool, shared: bool) -> int:
        """A read-only copy in memory, shared by all who map the file. Errors: EACCES, ENOSPC, ENOMEM."""
        if writable and shared:
            raise SyscallError(EACCES)
        return self._inside.image.mapped_copy(self._inside.attr.ino, self._pack_fd, self._base, self._size)
