"""The signal mask argument that ppoll(2), pselect6(2) and epoll_pwait(2) share."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError

_SIGSET_SIZE = 8


def read_sigmask(task: Task, addr: int, size: int) -> int:
    """Return the 64-bit mask at ``addr``; NULL means the thread's own. Errors: EINVAL wrong size, EFAULT."""
    if not addr:
        return task.context.blocked_signals()
    if size != _SIGSET_SIZE:
        raise SyscallError(EINVAL)
    return task.memory.read_u64(addr)
