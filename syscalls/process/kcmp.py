"""kcmp(2): whether two processes share a kernel object."""

from sentry.fs.epoll.file import EpollFile
from sentry.kernel.ptrace_access import may_inspect
from sentry.kernel.task import Task
from syscalls.abi.errno import EBADF, EINVAL, ENOENT, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.kcmp import (
    KCMP_EPOLL_SLOT,
    KCMP_EPOLL_TFD,
    KCMP_FILE,
    KCMP_FILES,
    KCMP_FS,
    KCMP_IO,
    KCMP_SIGHAND,
    KCMP_SYSVSEM,
    KCMP_VM,
)
from syscalls.args import Int, Pid, ULong
from syscalls.registry import Support, syscall

_EQUAL, _LESS, _GREATER = 0, 1, 2


@syscall(
    man="kcmp(2)",
    support=Support.PARTIAL,
    note="memory, handlers and I/O context count as shared within a process only",
)
def sys_kcmp(task: Task, pid1: Pid, pid2: Pid, type: Int, idx1: ULong, idx2: ULong) -> int:
    """Return 0 if both are the same object, 1 or 2 for an arbitrary but steady order. Errors: ESRCH, EPERM, EBADF, EINVAL."""
    one, two = (_find(task, pid) for pid in (pid1, pid2))
    if type == KCMP_FILE:
        return _order(_file(one, idx1), _file(two, idx2))
    if type == KCMP_FILES:
        return _order(one.fds, two.fds)
    if type == KCMP_FS:
        return _order(one.fs, two.fs)
    if type == KCMP_SYSVSEM:
        return _order(one.sem_undo, two.sem_undo)
    if type in (KCMP_VM, KCMP_SIGHAND, KCMP_IO):
        return _order(one.group, two.group)
    if type == KCMP_EPOLL_TFD:
        efd, number, offset = task.memory.read_struct(KCMP_EPOLL_SLOT, idx2)
        return _order(_file(one, idx1), _watched(_file(two, efd), number, offset))
    raise SyscallError(EINVAL)


def _find(task: Task, pid: int) -> Task:
    other = task.kernel.tasks.find_task(pid)
    if other is None:
        raise SyscallError(ESRCH)
    if not may_inspect(task, other):
        raise SyscallError(EPERM)
    return other


def _file(task: Task, fd: int) -> object:
    file = task.fds.find(fd)
    if file is None:
        raise SyscallError(EBADF)
    return file


def _watched(epoll: object, number: int, offset: int) -> object:
    """What an epoll instance watches as ``number``, the one after ``offset`` others. Errors: EINVAL, ENOENT."""
    if not isinstance(epoll, EpollFile):
        raise SyscallError(EINVAL)
    file = epoll.watched(number, offset)
    if file is None:
        raise SyscallError(ENOENT)
    return file


def _order(one: object, two: object) -> int:
    if one is two:
        return _EQUAL
    return _LESS if id(one) < id(two) else _GREATER
