"""eventfd(2), eventfd2(2)."""

from typing import Annotated

from sentry.fs.anon import anon_inode
from sentry.fs.eventfd import EventFile
from sentry.kernel.task import Task
from syscalls.abi.eventfd import EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE
from syscalls.abi.fcntl import O_RDWR
from syscalls.args import Flags, UInt
from syscalls.registry import syscall

_FLAGS = Flags("EFD", EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)


@syscall(man="eventfd(2)")
def sys_eventfd(task: Task, initval: UInt) -> int:
    """Return a descriptor for a new counter. Errors: EMFILE."""
    return _eventfd(task, initval, 0)


@syscall(man="eventfd(2)")
def sys_eventfd2(task: Task, initval: UInt, flags: Annotated[int, _FLAGS]) -> int:
    """eventfd(2) with flags. Errors: EINVAL, EMFILE."""
    return _eventfd(task, initval, flags)


def _eventfd(task: Task, initval: int, flags: int) -> int:
    inode = anon_inode(task.kernel, b"eventfd")
    file = EventFile(inode, O_RDWR | flags & EFD_NONBLOCK, initval, is_semaphore=bool(flags & EFD_SEMAPHORE))
    return task.fds.install(file, cloexec=bool(flags & EFD_CLOEXEC))
