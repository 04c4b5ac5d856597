"""Open directories of any file system (getdents(2))."""

from typing import TYPE_CHECKING

from sentry.vfs.file import Entry, FileDescription
from syscalls.abi.errno import EISDIR
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import DT_DIR

if TYPE_CHECKING:
    from sentry.vfs.context import Path
    from sentry.vfs.inode import Inode
    from sentry.vfs.io import Sink, Source


class DirectoryFile(FileDescription):
    """A snapshot of the entries is taken at position 0 and kept until the next rewind, so that positions stay true."""

    __slots__ = ("_entries",)

    is_seekable = True
    can_splice_from = False

    def __init__(self, inode: "Inode", flags: int, path: "Path | None" = None) -> None:
        super().__init__(inode, flags, path)
        self._entries: list[Entry] | None = None

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Directories are read with getdents(2) only."""
        raise SyscallError(EISDIR)

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Directories are never written."""
        raise SyscallError(EISDIR)

    async def read_entries(self) -> list[Entry]:
        """Return `.` and `..`, then the children, and keep the list."""
        own = self.inode.attr.ino
        up = own
        if self.path is not None:
            parent = self.path.dentry.parent.inode
            if self.path.dentry is self.path.mount.root and self.path.mount.mountpoint is not None:
                parent = self.path.mount.mountpoint.parent.inode
            if parent is not None:
                up = parent.attr.ino
        entries = [Entry(b".", own, DT_DIR), Entry(b"..", up, DT_DIR)]
        entries += await self.inode.read_children()
        self._entries = entries
        return entries

    async def snapshot(self, position: int) -> list[Entry]:
        """The entries as of the last rewind; position 0 looks again."""
        if self._entries is None or position == 0:
            return await self.read_entries()
        return self._entries

    async def size(self) -> int:
        """SEEK_END has no meaning; the largest position does."""
        return 0x7FFFFFFF

    async def fsync(self, *, data_only: bool) -> None:
        """A directory can be synced."""
