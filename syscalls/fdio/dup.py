"""dup(2), dup2(2), dup3(2)."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EBADF, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_CLOEXEC
from syscalls.args import Fd, Int
from syscalls.registry import syscall


@syscall(man="dup(2)")
def sys_dup(task: Task, fildes: Fd) -> int:
    """Return the lowest free number for the same description. Errors: EBADF, EMFILE."""
    fds = task.fds
    return fds.install(fds.get_any(fildes))


@syscall(man="dup(2)")
def sys_dup2(task: Task, oldfd: Fd, newfd: Fd) -> int:
    """Make ``newfd`` refer to the description of ``oldfd``, closing what it was. Errors: EBADF."""
    if oldfd == newfd:
        task.fds.get_any(oldfd)
        return newfd
    return _replace(task, oldfd, newfd, cloexec=False)


@syscall(man="dup(2)")
def sys_dup3(task: Task, oldfd: Fd, newfd: Fd, flags: Int) -> int:
    """dup2(2) with O_CLOEXEC. Errors: EINVAL unknown flag or the same number, EBADF."""
    if flags & ~O_CLOEXEC or oldfd == newfd:
        raise SyscallError(EINVAL)
    return _replace(task, oldfd, newfd, cloexec=bool(flags & O_CLOEXEC))


def _replace(task: Task, oldfd: int, newfd: int, *, cloexec: bool) -> int:
    """The host's copy of the old ``newfd``, if any, becomes stale: no mapping uses it again (see ``FdTable.stale_copies``)."""
    fds = task.fds
    file = fds.get_any(oldfd)
    if not 0 <= newfd < fds.limit:
        raise SyscallError(EBADF)
    fds.forget_host_copy(newfd)
    fds.replace(newfd, file, cloexec=cloexec)
    return newfd
