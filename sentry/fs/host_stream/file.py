"""Standard input and output of a sandbox as open files: a host pipe, file, terminal or socket, passed in by the caller."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from sentry.vfs.file import FileDescription
from sentry.vfs.inode import FileSystem, Inode
from sentry.vfs.io import Sink, Source
from sentry.vfs.readiness import POLLHUP, POLLIN, POLLOUT
from sentry.vfs.stat import Attr
from syscalls.abi.errno import ENXIO
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.host.stream import HostStream
    from sentry.vfs.context import OpenContext

S_IFIFO, S_IFSOCK = 0o010000, 0o140000
_CHUNK = 4096
_CHUNK_REGULAR = 1 << 18


class Watcher(Protocol):
    """``Platform.watch``."""

    def __call__(self, fd: int, events: int, ready: Callable[[int], None]) -> Callable[[], None]:
        """Call ``ready`` while ``fd`` has one of ``events``; returns the stop function."""


class HostStreamInode(Inode):
    """Looks like an anonymous pipe: the host's own inode is not the guest's business."""

    __slots__ = ("file",)

    def __init__(self, fs: FileSystem, ino: int, uid: int, gid: int) -> None:
        super().__init__(fs, Attr(ino=ino, mode=S_IFIFO | 0o600, uid=uid, gid=gid))
        self.file: HostStreamFile | None = None

    async def open(self, context: "OpenContext") -> FileDescription:
        """/dev/stdout, /proc/self/fd/1. Errors: ENXIO once all have closed it.

        Differs from Linux: the same open file description is returned, as dup(2) would; the host's descriptor is one.
        """
        if self.file is None:
            raise SyscallError(ENXIO)
        return self.file


class HostStreamFile(FileDescription):
    """Reads and writes a ``HostStream``. The host descriptor is watched only while somebody waits: idle costs nothing."""

    __slots__ = ("_held", "_stop_watching", "_stream", "_unsent", "_watch", "_watched")

    is_stream = True
    has_async = True

    def __init__(self, inode: Inode, flags: int, stream: "HostStream", watch: Watcher) -> None:
        super().__init__(inode, flags)
        if isinstance(inode, HostStreamInode):
            inode.file = self
        self._stream = stream
        self._watch = watch
        self._watched = 0
        self._stop_watching: Callable[[], None] | None = None
        self._held = b""  # read from the host, not yet taken by the guest's memory
        self._unsent = b""  # taken from the guest, not yet by the host (a non-blocking descriptor took a part)

    def try_read(self, sink: Sink, offset: int) -> int | None:
        """Move what is there; bytes that the guest's memory does not take stay for the next read."""
        data: bytes | None = self._held
        if not data:
            data = self._stream.try_read(sink.remaining)
            if data is None:
                self._want(POLLIN)
                return None
            if not data:
                return 0
            self._held = data
        count = sink.put(data)
        self._held = data[count:]
        return count

    def try_write(self, source: Source, offset: int) -> int | None:
        """Move one chunk at a time until the host takes no more."""
        if not self._flush():
            return None
        done = 0
        stream = self._stream
        chunk_max = _CHUNK_REGULAR if stream.is_always_ready else _CHUNK
        while source.remaining:
            if not stream.is_always_ready and not stream.readiness() & ~POLLIN:
                self._want(POLLOUT)
                break
            data = source.take(chunk_max)
            self._unsent = data
            done += len(data)
            if not self._flush():
                break
        return done if done or not source.remaining else None

    def _flush(self) -> bool:
        if self._unsent:
            data, self._unsent = self._unsent, b""
            count = self._stream.try_write(data)
            self._unsent = data[count or 0 :]
            if self._unsent:
                self._want(POLLOUT)
        return not self._unsent

    def readiness(self) -> int:
        """The host's poll bits; waiting for more starts the watch."""
        ready = self._stream.readiness()
        if self._held:
            ready |= POLLIN
        missing = (POLLIN | POLLOUT) & ~ready
        if missing and self.queue:
            self._want(missing)
        return ready

    def close(self) -> None:
        """The guest has closed its last descriptor: the caller sees end of file."""
        if isinstance(self.inode, HostStreamInode):
            self.inode.file = None
        self._unwatch()
        self._flush()
        self._stream.close()

    def describe(self) -> bytes:
        """/proc/PID/fd text."""
        return b"pipe:[%d]" % self.inode.attr.ino

    def _want(self, events: int) -> None:
        if self._stream.is_always_ready or self._watched & events == events:
            return
        self._unwatch()
        self._watched = events
        self._stop_watching = self._watch(self._stream.fd, events, self._ready)

    def _ready(self, revents: int) -> None:
        self._unwatch()
        if self._flush():
            self.queue.wake(revents | POLLHUP)

    def _unwatch(self) -> None:
        if self._stop_watching is not None:
            self._stop_watching()
            self._stop_watching = None
        self._watched = 0
