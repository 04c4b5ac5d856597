"""Regular files in memory and their open descriptions."""

from typing import TYPE_CHECKING, Final

from sentry.fs.tmpfs.node import Node
from sentry.fs.tmpfs.storage import FILE_MAX, Storage
from sentry.vfs.file import FileDescription
from sentry.vfs.permission import CAP_FSETID, without_set_ids
from sentry.vfs.stat import Attr
from sentry.vfs.watch import touched
from syscalls.abi.errno import EACCES, EFBIG, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE, O_NOATIME
from syscalls.abi.inotify import IN_ACCESS, IN_MODIFY

if TYPE_CHECKING:
    from sentry.fs.tmpfs.filesystem import TmpFileSystem
    from sentry.kernel.task import Task
    from sentry.vfs.context import OpenContext
    from sentry.vfs.io import Sink, Source

_DAY_NS: Final = 86_400_000_000_000


class RegularFile(Node):
    """Contents and attributes; ``attr.size`` and ``attr.blocks`` follow the storage."""

    __slots__ = ("storage",)

    def __init__(self, fs: "TmpFileSystem", attr: Attr) -> None:
        super().__init__(fs, attr)
        self.storage = Storage(fs.pool)

    async def open(self, context: "OpenContext") -> FileDescription:
        """A description of this file."""
        return TmpFile(self, context)

    def open_now(self, context: "OpenContext") -> FileDescription | None:
        """The contents are in memory."""
        return TmpFile(self, context)

    async def _resize(self, size: int) -> None:
        self.storage.truncate(size)
        self.sync_size()

    def sync_size(self) -> None:
        """The attributes follow the storage."""
        attr, storage = self.attr, self.storage
        attr.size, attr.blocks = storage.size, storage.blocks


class TmpFile(FileDescription):
    """An open regular file in memory."""

    __slots__ = ("_keeps_atime", "_keeps_set_ids", "node")

    is_seekable = True

    def __init__(self, node: RegularFile, context: "OpenContext") -> None:
        super().__init__(node, context.flags, context.path)
        self.node = node
        task: Task | None = context.task  # None: the overlay's own open
        self._keeps_set_ids = task is not None and task.credentials.has(CAP_FSETID)
        self._keeps_atime = bool(context.flags & O_NOATIME)

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Move bytes; never waits."""
        node = self.node
        count = node.storage.read(sink, offset)
        attr = node.attr
        if attr.atime_ns <= attr.mtime_ns and not self._keeps_atime:  # relatime
            attr.atime_ns = node.fs.now()
        if count:
            touched(self, IN_ACCESS)
        return count

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Move bytes; ``offset`` -1 appends. Errors: ENOSPC, EFBIG."""
        node = self.node
        storage = node.storage
        count = storage.write(source, storage.size if offset < 0 else offset)
        if count:
            attr = node.attr
            attr.size, attr.blocks = storage.size, storage.blocks
            attr.mtime_ns = attr.ctime_ns = node.fs.now()
            if attr.mode & 0o6000 and not self._keeps_set_ids:
                attr.mode = without_set_ids(attr.mode)
            touched(self, IN_MODIFY)
        return count

    async def size(self) -> int:
        """The current size."""
        return self.node.storage.size

    async def seek_data(self, offset: int, *, hole: bool) -> int:
        """Errors: ENXIO."""
        return self.node.storage.seek(offset, hole=hole)

    async def fsync(self, *, data_only: bool) -> None:
        """Memory is as durable as the sandbox."""
        self.node.storage.sync()

    async def truncate(self, size: int) -> None:
        """ftruncate(2). Errors: ENOSPC, EFBIG."""
        node = self.node
        node.storage.truncate(size)
        self._changed()

    async def allocate(self, mode: int, offset: int, length: int) -> None:
        """fallocate(2). Errors: EOPNOTSUPP (collapse, insert), EFBIG, ENOSPC."""
        if mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE):
            raise SyscallError(EOPNOTSUPP)
        if offset + length > FILE_MAX:
            raise SyscallError(EFBIG)
        storage = self.node.storage
        if mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE):
            storage.punch(offset, length)
        if not mode & FALLOC_FL_PUNCH_HOLE:
            storage.allocate(offset, length)
            if not mode & FALLOC_FL_KEEP_SIZE:
                storage.grow(offset + length)
        self._changed()

    async def mapping_fd(self, *, writable: bool, shared: bool) -> int:
        """Errors: EACCES when a shared writable mapping is asked of a read-only description; ENOMEM."""
        if not self.is_readable or (writable and shared and not self.is_writable):
            raise SyscallError(EACCES)
        fd = self.node.storage.host_fd(writable=writable and shared)
        self.node.sync_size()
        return fd

    def _changed(self) -> None:
        node = self.node
        node.sync_size()
        node.touch()
        attr = node.attr
        if attr.mode & 0o6000 and not self._keeps_set_ids:
            attr.mode = without_set_ids(attr.mode)
        touched(self, IN_MODIFY)
