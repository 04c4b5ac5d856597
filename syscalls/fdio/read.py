"""read(2), pread(2). Plain functions: they return a coroutine only when they have to wait."""

from sentry.kernel import io
from sentry.kernel.task import Task
from sentry.mm.usermem import ADDRESS_MAX
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import Fault, SyscallError
from syscalls.args import Fd, Off, Size, UserPtr
from syscalls.registry import syscall


@syscall(man="read(2)")
def sys_read(task: Task, fd: Fd, buf: UserPtr, count: Size) -> io.Outcome:
    """Read up to ``count`` bytes at the current offset. Errors: EBADF, EFAULT, EAGAIN, EINTR, EISDIR, EINVAL, EIO."""
    file = task.fds.readable(fd)
    if buf + count > ADDRESS_MAX:
        raise Fault
    return io.read(task, file, task.memory.sink(buf, count))


@syscall(man="pread(2)")
def sys_pread64(task: Task, fd: Fd, buf: UserPtr, count: Size, offset: Off) -> io.Outcome:
    """Read at ``offset`` without moving the current one. Errors: as read(2), ESPIPE, EINVAL negative offset."""
    if offset < 0:
        raise SyscallError(EINVAL)
    file = task.fds.readable_at(fd)
    if buf + count > ADDRESS_MAX:
        raise Fault
    return io.pread(task, file, task.memory.sink(buf, count), offset)
