"""readv(2), writev(2), preadv(2), pwritev(2), preadv2(2), pwritev2(2): scattered buffers."""

from sentry.kernel import io
from sentry.kernel.task import Task
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import EINVAL, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import RWF_APPEND, RWF_DSYNC, RWF_HIPRI, RWF_NOAPPEND, RWF_NOWAIT, RWF_SYNC
from syscalls.args import Fd, Int, Off, Size, ULong, UserPtr
from syscalls.registry import syscall

_RWF = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND


@syscall(man="readv(2)")
def sys_readv(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size) -> io.Outcome:
    """Read into several buffers. Errors: as read(2), EINVAL too many or too long."""
    file = task.fds.readable(fd)
    sink = task.memory.sink_iovec(iov, iovcnt)
    return io.read(task, file, sink) if sink.remaining else _no_read(file)


@syscall(man="readv(2)")
def sys_writev(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size) -> io.Outcome:
    """Write several buffers as one. Errors: as write(2), EINVAL too many or too long."""
    file = task.fds.writable(fd)
    source = task.memory.source_iovec(iov, iovcnt)
    return io.write(task, file, source) if source.remaining else _no_write(file)


@syscall(man="readv(2)")
def sys_preadv(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size, offset: Off, pos_h: ULong) -> io.Outcome:
    """readv(2) at ``offset``; ``pos_h`` means nothing where a register holds all of it. Errors: as pread(2)."""
    if offset < 0:
        raise SyscallError(EINVAL)
    file = task.fds.readable_at(fd)
    sink = task.memory.sink_iovec(iov, iovcnt)
    return io.pread(task, file, sink, offset) if sink.remaining else _no_read(file)


@syscall(man="readv(2)")
def sys_pwritev(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size, offset: Off, pos_h: ULong) -> io.Outcome:
    """writev(2) at ``offset``. Errors: as pwrite(2)."""
    if offset < 0:
        raise SyscallError(EINVAL)
    file = task.fds.writable_at(fd)
    source = task.memory.source_iovec(iov, iovcnt)
    return io.pwrite(task, file, source, offset) if source.remaining else _no_write(file)


@syscall(man="readv(2)")
def sys_preadv2(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size, offset: Off, pos_h: ULong, flags: Int) -> io.Outcome:
    """preadv(2) with flags; offset -1 means the current one. Errors: EOPNOTSUPP unknown flag, EAGAIN RWF_NOWAIT."""
    if offset < -1:
        raise SyscallError(EINVAL)
    file = task.fds.readable(fd) if offset == -1 else task.fds.readable_at(fd)
    sink = task.memory.sink_iovec(iov, iovcnt)
    if not sink.remaining:
        return _no_read(file)
    _check_flags(flags)
    nowait = bool(flags & RWF_NOWAIT)
    if offset == -1:
        return io.read(task, file, sink, nowait=nowait)
    return io.pread(task, file, sink, offset, nowait=nowait)


@syscall(man="readv(2)")
def sys_pwritev2(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size, offset: Off, pos_h: ULong, flags: Int) -> io.Outcome:
    """pwritev(2) with flags; offset -1 means the current one. Errors: EOPNOTSUPP unknown flag, EAGAIN RWF_NOWAIT."""
    if offset < -1:
        raise SyscallError(EINVAL)
    file = task.fds.writable(fd) if offset == -1 else task.fds.writable_at(fd)
    source = task.memory.source_iovec(iov, iovcnt)
    if not source.remaining:
        return _no_write(file)
    _check_flags(flags)
    nowait, append = bool(flags & RWF_NOWAIT), bool(flags & RWF_APPEND)
    is_plain = bool(flags & RWF_NOAPPEND)
    if offset == -1:
        outcome = io.write(task, file, source, nowait=nowait, append=append)
    else:
        outcome = io.pwrite(task, file, source, offset, nowait=nowait, append=append, is_plain=is_plain)
    return _synced(file, outcome, data_only=not flags & RWF_SYNC) if flags & (RWF_SYNC | RWF_DSYNC) else outcome


def _no_read(file: FileDescription) -> int:
    """Empty buffers: the file is not asked. Errors: EINVAL where it could not be."""
    if type(file).try_read is FileDescription.try_read and not (file.is_remote or file.is_caller_bound):
        raise SyscallError(EINVAL)
    return 0


def _no_write(file: FileDescription) -> int:
    """Empty buffers: the file is not asked. Errors: EINVAL where it could not be."""
    if type(file).try_write is FileDescription.try_write and not file.is_remote:
        raise SyscallError(EINVAL)
    return 0


def _check_flags(flags: int) -> None:
    """Linux: include/linux/fs.h, kiocb_set_rw_flags(). No file here has atomic or uncached writes. Errors: EINVAL, EOPNOTSUPP."""
    if flags & ~_RWF:
        raise SyscallError(EOPNOTSUPP)
    if flags & RWF_NOAPPEND and flags & RWF_APPEND:
        raise SyscallError(EINVAL)


async def _synced(file: FileDescription, outcome: io.Outcome, *, data_only: bool) -> int:
    file.acquire()
    try:
        count = outcome if isinstance(outcome, int) else await outcome
        if count > 0 and file.is_seekable:
            await file.fsync(data_only=data_only)
    finally:
        file.release()
    return count
