"""A POSIX message queue as an inode, and its open descriptions."""

from typing import TYPE_CHECKING, Final

from sentry.fs.tmpfs.node import Node
from sentry.ipc.posix_queue import PosixQueue
from sentry.vfs.file import FileDescription
from sentry.vfs.stat import SetAttr
from syscalls.abi.errno import ENXIO, EOPNOTSUPP
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.mqueue.filesystem import MqueueFileSystem
    from sentry.vfs.context import OpenContext
    from sentry.vfs.io import Sink
    from sentry.vfs.stat import Attr

_FILE_SIZE: Final = 80  # Linux: FILENT_SIZE


class QueueNode(Node):
    """``contents`` is the queue; it lives as long as a name or a descriptor."""

    __slots__ = ("_bytes", "_maker", "contents")

    fs: "MqueueFileSystem"

    def __init__(self, fs: "MqueueFileSystem", attr: "Attr", maxmsg: int, msgsize: int, reserved: int) -> None:
        super().__init__(fs, attr)
        attr.size = _FILE_SIZE
        self.contents = PosixQueue(maxmsg, msgsize)
        self._bytes = reserved
        self._maker = attr.uid

    def __del__(self) -> None:
        super().__del__()
        self.fs.forget(self._maker, self._bytes)

    async def _resize(self, size: int) -> None:
        """Truncation changes the number that stat(2) shows, and nothing else, as in Linux."""
        self.attr.size = size

    def supports_acls(self) -> bool:
        """No extended attributes of any kind."""
        return False

    async def setxattr(self, name: bytes, value: bytes, flags: int) -> None:
        """Errors: EOPNOTSUPP."""
        raise SyscallError(EOPNOTSUPP)

    async def getxattr(self, name: bytes) -> bytes:
        """Errors: EOPNOTSUPP."""
        raise SyscallError(EOPNOTSUPP)

    async def removexattr(self, name: bytes) -> None:
        """Errors: EOPNOTSUPP."""
        raise SyscallError(EOPNOTSUPP)

    async def open(self, context: "OpenContext") -> FileDescription:
        """A description of this queue."""
        return QueueFile(self, context.flags)


class QueueFile(FileDescription):
    """A message queue descriptor."""

    __slots__ = ("contents",)
    is_seekable = True
    can_splice_from = can_splice_to = False

    def __init__(self, inode: QueueNode, flags: int) -> None:
        super().__init__(inode, flags)
        self.contents = inode.contents
        self.queue = inode.contents.events

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """The state of the queue as text."""
        queue = self.contents
        text = b"QSIZE:%-10d NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n" % (
            queue.bytes_used,
            queue.notify_word,
            queue.notify_signal,
            queue.notify_pid,
        )
        part = text[offset : offset + sink.remaining]
        return sink.put(part) if part else 0

    async def seek_data(self, offset: int, *, hole: bool) -> int:
        """No holes before the end, wherever truncate(2) has put it. Errors: ENXIO."""
        size = await self.size()
        if not 0 <= offset < size:
            raise SyscallError(ENXIO)
        return size if hole else offset

    async def truncate(self, size: int) -> None:
        """Only fstat(2) and SEEK_END notice."""
        await self.inode.setattr(SetAttr(size=size))

    async def allocate(self, mode: int, offset: int, length: int) -> None:
        """Errors: EOPNOTSUPP."""
        raise SyscallError(EOPNOTSUPP)

    def readiness(self) -> int:
        """Readable with a message, writable with room."""
        return self.contents.readiness()
