"""Opening a FIFO (fifo(7)): both sides meet. Linux: fs/pipe.c, fifo_open()."""

from collections.abc import Callable

from sentry.fs.pipe.file import PipeFile, PipeInode
from sentry.fs.pipe.pipe import Pipe
from sentry.sched.wait import wait_until
from sentry.vfs.context import OpenContext
from sentry.vfs.inode import Inode
from syscalls.abi.errno import EINVAL, ENXIO
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_ACCMODE, O_CLOEXEC, O_CREAT, O_EXCL, O_NOCTTY, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY

_NOT_STATUS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC


async def open_fifo(inode: Inode, context: OpenContext) -> PipeFile:
    """Open ``inode``, a FIFO. Waits for the other side unless O_NONBLOCK or O_RDWR; an anonymous pipe never waits.

    Errors: EINVAL access mode 3, ENXIO O_WRONLY|O_NONBLOCK without a reader; Interrupted (restarts as open(2) does).
    """
    task = context.task
    if context.flags & O_ACCMODE == O_ACCMODE:
        raise SyscallError(EINVAL)
    pipe = inode.bound
    if pipe is None:
        pipe = inode.bound = Pipe(task.kernel.limits)
    assert isinstance(pipe, Pipe)
    pipe.reopen()
    mode = context.flags & O_ACCMODE
    is_nonblocking = bool(context.flags & O_NONBLOCK)
    if isinstance(inode, PipeInode):  # /proc/PID/fd/N
        return PipeFile(inode, context.flags & ~_NOT_STATUS, pipe, context.path)
    if mode == O_WRONLY and is_nonblocking and not pipe.readers:
        _forget_if_idle(inode, pipe)
        raise SyscallError(ENXIO)
    file = PipeFile(inode, context.flags & ~_NOT_STATUS, pipe, context.path)
    pipe.wake_all()
    if mode == O_RDWR or (mode == O_RDONLY and pipe.writers) or (mode == O_WRONLY and pipe.readers):
        return file
    if is_nonblocking:
        file.expect_writer()
        return file
    try:
        await wait_until(task.fiber, _other_side(pipe, is_reader=mode == O_RDONLY), [pipe.both_queue])
    except BaseException:
        file.close()
        raise
    return file


def _other_side(pipe: Pipe, *, is_reader: bool) -> Callable[[], bool | None]:
    """Whether the other side has come, even if it has gone again since."""
    seen = pipe.w_counter if is_reader else pipe.r_counter

    def has_come() -> bool | None:
        return (pipe.w_counter if is_reader else pipe.r_counter) != seen or None

    return has_come


def _forget_if_idle(inode: Inode, pipe: Pipe) -> None:
    if not pipe.readers and not pipe.writers:
        pipe.readers = 1
        pipe.close_reader()
        inode.bound = None
