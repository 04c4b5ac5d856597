"""epoll_create(2), epoll_create1(2)."""

from typing import Annotated

from sentry.fs.anon import anon_inode
from sentry.fs.epoll.file import EpollFile
from sentry.kernel.task import Task
from syscalls.abi.epoll import EPOLL_CLOEXEC
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_RDWR
from syscalls.args import Flags, Int
from syscalls.registry import syscall


@syscall(man="epoll_create(2)")
def sys_epoll_create(task: Task, size: Int) -> int:
    """Return a descriptor for a new instance; ``size`` only has to be positive. Errors: EINVAL, EMFILE."""
    if size <= 0:
        raise SyscallError(EINVAL)
    return _create(task, 0)


@syscall(man="epoll_create(2)")
def sys_epoll_create1(task: Task, flags: Annotated[int, Flags("EPOLL", EPOLL_CLOEXEC)]) -> int:
    """Return a descriptor for a new instance. Errors: EINVAL, EMFILE."""
    return _create(task, flags)


def _create(task: Task, flags: int) -> int:
    file = EpollFile(anon_inode(task.kernel, b"eventpoll"), O_RDWR)
    return task.fds.install(file, cloexec=bool(flags & EPOLL_CLOEXEC))
