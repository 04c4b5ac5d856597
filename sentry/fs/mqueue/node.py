"""A POSIX message queue as an inode, and its open descriptions."""

from typing import TYPE_CHECKING, Final

from sentry.fs.tmpfs.node import Node
from sentry.ipc.posix_queue import PosixQueue
from sentry.vfs.file import FileDescription

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
        """Truncation has no meaning here and no effect, as in Linux."""

    async def open(self, context: "OpenContext") -> FileDescription:
        """A description of this queue."""
        return QueueFile(self, context.flags)


class QueueFile(FileDescription):
    """A message queue descriptor."""

    __slots__ = ("contents",)

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
        part = text[self.offset : self.offset + sink.remaining]
        self.offset += len(part)
        return sink.put(part) if part else 0

    def readiness(self) -> int:
        """Readable with a message, writable with room."""
        return self.contents.readiness()
