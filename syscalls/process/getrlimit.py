"""getrlimit(2), setrlimit(2), prlimit(2)."""

from sentry.kernel.rlimits import get_limit, set_limit
from sentry.kernel.task import Task
from syscalls.abi.capability import CAP_SYS_RESOURCE
from syscalls.abi.errno import EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import RLIMIT
from syscalls.args import Pid, UInt, UserPtr
from syscalls.registry import Support, syscall

_NOTE = "RSS, LOCKS, NICE, RTPRIO, RTTIME and CORE are kept but not enforced; NPROC where births trap"


@syscall(man="getrlimit(2)")
def sys_getrlimit(task: Task, resource: UInt, rlim: UserPtr) -> int:
    """Store a limit of the caller's process. Errors: EINVAL, EFAULT."""
    task.memory.write(rlim, RLIMIT.pack(*get_limit(task.group, resource)))
    return 0


@syscall(man="getrlimit(2)", support=Support.PARTIAL, note=_NOTE)
def sys_setrlimit(task: Task, resource: UInt, rlim: UserPtr) -> int:
    """Change a limit of the caller's process. Errors: EFAULT, EINVAL, EPERM."""
    soft, hard = task.memory.read_struct(RLIMIT, rlim)
    set_limit(task, task.group, resource, soft, hard)
    return 0


@syscall(man="getrlimit(2)", support=Support.PARTIAL, note=_NOTE)
def sys_prlimit64(task: Task, pid: Pid, resource: UInt, new_limit: UserPtr, old_limit: UserPtr) -> int:
    """Read and change a limit of a process. Errors: ESRCH, EPERM, EINVAL, EFAULT."""
    new = task.memory.read_struct(RLIMIT, new_limit) if new_limit else None
    other = task if pid == 0 else task.kernel.tasks.find_task(pid)
    if other is None:
        raise SyscallError(ESRCH)
    if other.group is not task.group:
        _check_owner(task, other)
    old = get_limit(other.group, resource)
    if new is not None:
        set_limit(task, other.group, resource, *new)
    if old_limit:
        task.memory.write(old_limit, RLIMIT.pack(*old))
    return 0


def _check_owner(task: Task, other: Task) -> None:
    """Linux: kernel/sys.c, check_prlimit_permission()."""
    mine, theirs = task.credentials, other.credentials
    same_user = mine.uid == theirs.uid == theirs.euid == theirs.suid
    same_group = mine.gid == theirs.gid == theirs.egid == theirs.sgid
    if not (same_user and same_group) and not mine.has(CAP_SYS_RESOURCE):
        raise SyscallError(EPERM)
