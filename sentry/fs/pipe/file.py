"""Open ends of a pipe (pipe(2), fifo(7))."""

from typing import TYPE_CHECKING

from sentry.fs.pipe.pipe import PAGE, Pipe
from sentry.vfs.file import FileDescription
from sentry.vfs.inode import Inode
from sentry.vfs.stat import Attr, SetAttr
from syscalls.abi.errno import ENFILE, ENOTTY
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_DIRECT, O_NONBLOCK, O_RDONLY, O_WRONLY
from syscalls.abi.ioctl import FIONREAD
from syscalls.abi.stat import S_IFIFO

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.vfs.context import Path
    from sentry.vfs.io import Sink, Source


class PipeInode(Inode):
    """The inode of an anonymous pipe; both ends share it."""

    __slots__ = ()

    def __init__(self, kernel: "Kernel", uid: int, gid: int) -> None:
        fs = kernel.pseudo.pipes
        now = kernel.realtime_ns()
        super().__init__(
            fs, Attr(ino=fs.next_ino(), mode=S_IFIFO | 0o600, uid=uid, gid=gid, atime_ns=now, mtime_ns=now, ctime_ns=now)
        )

    async def setattr(self, change: SetAttr) -> None:
        """fchmod(2), fchown(2) and futimens(2) work on pipes."""
        attr = self.attr
        for field in ("mode", "uid", "gid", "atime_ns", "mtime_ns"):
            value = getattr(change, field)
            if value is not None:
                setattr(attr, field, value)


class PipeFile(FileDescription):
    """One open description of a pipe or FIFO."""

    __slots__ = ("_seen_writers", "pipe")

    is_stream = True
    has_async = True

    def __init__(self, inode: Inode, flags: int, pipe: Pipe, path: "Path | None" = None) -> None:
        super().__init__(inode, flags, path)
        self.pipe = pipe
        if isinstance(inode, PipeInode):
            inode.bound = pipe  # /proc/PID/fd/N opens it again
        self._seen_writers = -1  # of a FIFO opened for reading without a writer: no POLLHUP until one has come and gone
        self.queue = pipe.both_queue
        if self.is_readable:
            pipe.readers += 1
            pipe.r_counter += 1
        else:
            self.queue = pipe.write_queue
        if self.is_writable:
            pipe.writers += 1
            pipe.w_counter += 1
        else:
            self.queue = pipe.read_queue

    def expect_writer(self) -> None:
        """A FIFO was opened with O_RDONLY|O_NONBLOCK while nobody writes."""
        self._seen_writers = self.pipe.w_counter

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """See ``Pipe.try_read``."""
        return self.pipe.try_read(sink)

    def try_write(self, source: "Source", offset: int) -> int | None:
        """See ``Pipe.try_write``."""
        return self.pipe.try_write(source, is_packet=bool(self.flags & O_DIRECT))

    def readiness(self) -> int:
        """See ``Pipe.readiness``."""
        return self.pipe.readiness(
            is_reader=self.is_readable, is_writer=self.is_writable, has_had_writer=self._seen_writers != self.pipe.w_counter
        )

    def close(self) -> None:
        """The last descriptor of this end is gone."""
        if self.is_readable:
            self.pipe.close_reader()
        if self.is_writable:
            self.pipe.close_writer()

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """FIONREAD. Errors: ENOTTY."""
        if request != FIONREAD:
            raise SyscallError(ENOTTY)
        task.memory.write_u32(argument, self.pipe.length)
        return 0

    def pipe_size(self) -> int:
        """F_GETPIPE_SZ."""
        return self.pipe.slots * PAGE

    def describe(self) -> bytes:
        """The text of /proc/PID/fd/N."""
        return b"pipe:[%d]" % self.inode.attr.ino


def make_pipe(task: "Task", flags: int) -> tuple[PipeFile, PipeFile]:
    """Return the reading and the writing end of a new pipe. ``flags``: O_NONBLOCK, O_DIRECT. Errors: ENFILE."""
    credentials = task.credentials
    try:
        pipe = Pipe(task.kernel.limits)
    except SyscallError:
        raise SyscallError(ENFILE) from None
    inode = PipeInode(task.kernel, credentials.fsuid, credentials.fsgid)
    status = flags & (O_NONBLOCK | O_DIRECT)
    return PipeFile(inode, O_RDONLY | status & O_NONBLOCK, pipe), PipeFile(inode, O_WRONLY | status, pipe)
