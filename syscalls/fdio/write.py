"""write(2), pwrite(2). Plain functions: they return a coroutine only when they have to wait."""

from sentry.kernel import io
from sentry.kernel.task import Task
from sentry.mm.usermem import ADDRESS_MAX
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import Fault, SyscallError
from syscalls.args import Fd, Off, Size, UserPtr
from syscalls.registry import syscall


@syscall(man="write(2)")
def sys_write(task: Task, fd: Fd, buf: UserPtr, count: Size) -> io.Outcome:
    """Write up to ``count`` bytes. Errors: EBADF, EFAULT, EAGAIN, EINTR, EPIPE with SIGPIPE, EFBIG, ENOSPC, EINVAL, EIO."""
    file = task.fds.writable(fd)
    if buf + count > ADDRESS_MAX:
        raise Fault
    return io.write(task, file, task.memory.source(buf, count))


@syscall(man="pwrite(2)")
def sys_pwrite64(task: Task, fd: Fd, buf: UserPtr, count: Size, offset: Off) -> io.Outcome:
    """Write at ``offset`` without moving the current one. Errors: as write(2), ESPIPE, EINVAL negative offset."""
    if offset < 0:
        raise SyscallError(EINVAL)
    file = task.fds.writable_at(fd)
    if buf + count > ADDRESS_MAX:
        raise Fault
    return io.pwrite(task, file, task.memory.source(buf, count), offset)
