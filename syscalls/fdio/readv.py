"""readv(2), writev(2), preadv(2), pwritev(2), preadv2(2), pwritev2(2): scattered buffers."""

from sentry.kernel import io
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import RWF_APPEND, RWF_DSYNC, RWF_HIPRI, RWF_NOWAIT, RWF_SYNC
from syscalls.args import Fd, Int, Off, Size, ULong, UserPtr
from syscalls.registry import Support, syscall

_RWF_READ = RWF_HIPRI | RWF_NOWAIT
_RWF_WRITE = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND
_NOTE = "RWF_HIPRI, RWF_DSYNC and RWF_SYNC have no effect; RWF_NOAPPEND, RWF_ATOMIC and RWF_DONTCACHE are EOPNOTSUPP"


@syscall(man="readv(2)")
def sys_readv(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size) -> io.Outcome:
    """Read into several buffers. Errors: as read(2), EINVAL too many or too long."""
    file = task.fds.readable(fd)
    return io.read(task, file, task.memory.sink_iovec(iov, iovcnt))


@syscall(man="readv(2)")
def sys_writev(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size) -> io.Outcome:
    """Write several buffers as one. Errors: as write(2), EINVAL too many or too long."""
    file = task.fds.writable(fd)
    return io.write(task, file, task.memory.source_iovec(iov, iovcnt))


@syscall(man="readv(2)")
def sys_preadv(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size, offset: Off, pos_h: ULong) -> io.Outcome:
    """readv(2) at ``offset``; ``pos_h`` means nothing where a register holds all of it. Errors: as pread(2)."""
    if offset < 0:
        raise SyscallError(EINVAL)
    file = task.fds.readable(fd)
    return io.pread(task, file, task.memory.sink_iovec(iov, iovcnt), offset)


@syscall(man="readv(2)")
def sys_pwritev(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size, offset: Off, pos_h: ULong) -> io.Outcome:
    """writev(2) at ``offset``. Errors: as pwrite(2)."""
    if offset < 0:
        raise SyscallError(EINVAL)
    file = task.fds.writable(fd)
    return io.pwrite(task, file, task.memory.source_iovec(iov, iovcnt), offset)


@syscall(man="readv(2)", support=Support.PARTIAL, note=_NOTE)
def sys_preadv2(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size, offset: Off, pos_h: ULong, flags: Int) -> io.Outcome:
    """preadv(2) with flags; offset -1 means the current one. Errors: EOPNOTSUPP unknown flag, EAGAIN RWF_NOWAIT."""
    if offset < -1:
        raise SyscallError(EINVAL)
    file = task.fds.readable(fd)
    sink = task.memory.sink_iovec(iov, iovcnt)
    if flags & ~(_RWF_READ | RWF_DSYNC | RWF_SYNC | RWF_APPEND):
        raise SyscallError(EOPNOTSUPP)
    nowait = bool(flags & RWF_NOWAIT)
    if offset == -1:
        return io.read(task, file, sink, nowait=nowait)
    return io.pread(task, file, sink, offset, nowait=nowait)


@syscall(man="readv(2)", support=Support.PARTIAL, note=_NOTE)
def sys_pwritev2(task: Task, fd: Fd, iov: UserPtr, iovcnt: Size, offset: Off, pos_h: ULong, flags: Int) -> io.Outcome:
    """pwritev(2) with flags; offset -1 means the current one. Errors: EOPNOTSUPP unknown flag, EAGAIN RWF_NOWAIT."""
    if offset < -1:
        raise SyscallError(EINVAL)
    file = task.fds.writable(fd)
    source = task.memory.source_iovec(iov, iovcnt)
    if flags & ~_RWF_WRITE:
        raise SyscallError(EOPNOTSUPP)
    nowait, append = bool(flags & RWF_NOWAIT), bool(flags & RWF_APPEND)
    if offset == -1:
        return io.write(task, file, source, nowait=nowait, append=append)
    return io.pwrite(task, file, source, offset, nowait=nowait, append=append)
