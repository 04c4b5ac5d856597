"""epoll_ctl(2)."""

from sentry.fs.epoll.file import EpollFile, check_pollable
from sentry.kernel.task import Task
from syscalls.abi.epoll import EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLL_EVENT
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.args import Fd, Int, UserPtr
from syscalls.registry import syscall


@syscall(man="epoll_ctl(2)")
def sys_epoll_ctl(task: Task, epfd: Fd, op: Int, fd: Fd, event: UserPtr) -> int:
    """Add, change or remove a watched descriptor. Errors: EBADF, EEXIST, EFAULT, EINVAL, ELOOP, ENOENT, ENOSPC, EPERM."""
    events = data = 0
    if op != EPOLL_CTL_DEL:
        events, data = task.memory.read_struct(EPOLL_EVENT, event)
    epoll = task.fds.get(epfd)
    file = task.fds.get(fd)
    check_pollable(file)
    if not isinstance(epoll, EpollFile):
        raise SyscallError(EINVAL)
    if op == EPOLL_CTL_ADD:
        epoll.add(fd, file, events, data)
    elif op == EPOLL_CTL_MOD:
        epoll.modify(fd, file, events, data)
    elif op == EPOLL_CTL_DEL:
        epoll.remove(fd, file)
    else:
        raise SyscallError(EINVAL)
    return 0
