"""unshare(2), setns(2): what a task shares. No namespaces inside a sandbox yet."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.sched import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VM,
)
from syscalls.args import PROCEED, Fd, Int, Result, ULong
from syscalls.registry import Support, syscall

_NAMESPACES = (
    CLONE_NEWTIME | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
)
_ALONE = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM


@syscall(man="unshare(2)", support=Support.PARTIAL, note="namespaces are EPERM")
def sys_unshare(task: Task, flags: ULong) -> Result:
    """Stop sharing descriptors or working directory with other tasks. Errors: EINVAL, EPERM."""
    if flags & ~(_NAMESPACES | _ALONE | CLONE_FILES | CLONE_FS | CLONE_SYSVSEM):
        raise SyscallError(EINVAL)
    if flags & _ALONE and len(task.group.tasks) > 1:
        raise SyscallError(EINVAL)
    if flags & _NAMESPACES:
        raise SyscallError(EPERM)
    if flags & CLONE_FS:
        task.fs = task.fs.copy()
    if flags & CLONE_FILES and task.fds.references > 1:
        task.fds.references -= 1
        task.fds = task.fds.copy()
        return PROCEED  # the host's table, which holds copies for mappings, is split in the same way
    return 0


@syscall(man="setns(2)", support=Support.STUB, note="EINVAL: there are no other namespaces to enter")
def sys_setns(task: Task, fd: Fd, nstype: Int) -> int:
    """Enter a namespace. Errors: EBADF, EINVAL not a namespace."""
    task.fds.get_any(fd)
    raise SyscallError(EINVAL)
