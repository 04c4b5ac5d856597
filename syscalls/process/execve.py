"""execve(2), execveat(2): the platform stops them for ``Sink.exec_request`` (sentry.kernel.task_exec), never as plain calls."""

from sentry.kernel.task import Task
from syscalls.abi.errno import ENOSYS
from syscalls.args import Fd, PathPtr, UInt, UserPtr
from syscalls.registry import Support, syscall

_NOTE = "set-ID bits count unless no_new_privs or nosuid forbids them, file capabilities do not; ELF of x86-64 and scripts only"


@syscall(man="execve(2)", support=Support.PARTIAL, note=_NOTE)
def sys_execve(task: Task, pathname: PathPtr, argv: UserPtr, envp: UserPtr) -> int:
    """Execute a program. Errors: as execve(2)."""
    return -ENOSYS


@syscall(man="execveat(2)", support=Support.PARTIAL, note=_NOTE)
def sys_execveat(task: Task, dirfd: Fd, pathname: PathPtr, argv: UserPtr, envp: UserPtr, flags: UInt) -> int:
    """Execute a program relative to a directory or descriptor. Errors: as execveat(2)."""
    return -ENOSYS
