"""Resource limits of a process (getrlimit(2)): kept here, and followed by the host where the host enforces them."""

from typing import TYPE_CHECKING

from syscalls.abi.capability import CAP_SYS_ADMIN, CAP_SYS_RESOURCE
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import (
    RLIM_INFINITY,
    RLIM_NLIMITS,
    RLIMIT_AS,
    RLIMIT_CORE,
    RLIMIT_CPU,
    RLIMIT_DATA,
    RLIMIT_FSIZE,
    RLIMIT_MEMLOCK,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RTPRIO,
    RLIMIT_SIGPENDING,
    RLIMIT_STACK,
)

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup

#: /proc/sys/fs/nr_open
NR_OPEN = 1 << 20
_UNLIMITED = (RLIM_INFINITY, RLIM_INFINITY)
#: what a process gets when nobody says otherwise (Linux: include/asm-generic/resource.h, INIT_RLIMITS)
DEFAULTS = {
    RLIMIT_STACK: (8 << 20, RLIM_INFINITY),
    RLIMIT_CORE: (0, RLIM_INFINITY),
    RLIMIT_NOFILE: (1024, 4096),
    RLIMIT_MEMLOCK: (8 << 20, 8 << 20),
    RLIMIT_MSGQUEUE: (819200, 819200),
    RLIMIT_NICE: (0, 0),
    RLIMIT_RTPRIO: (0, 0),
}
#: limits that the host kernel enforces on the guest's native calls
_FOLLOWED = frozenset(
    (RLIMIT_AS, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_MEMLOCK, RLIMIT_NOFILE, RLIMIT_SIGPENDING, RLIMIT_STACK)
)


def get_limit(group: "ThreadGroup", resource: int) -> tuple[int, int]:
    """Return soft and hard limit. Errors: EINVAL no such resource."""
    if not 0 <= resource < RLIM_NLIMITS:
        raise SyscallError(EINVAL)
    limit = group.limits.get(resource)
    return limit if limit is not None else DEFAULTS.get(resource, _UNLIMITED)


def set_limit(caller: "Task", group: "ThreadGroup", resource: int, soft: int, hard: int) -> None:
    """Change a limit of ``group`` in ``caller``'s name. Errors: EINVAL; EPERM raising the hard limit without privilege."""
    old_hard = get_limit(group, resource)[1]
    if soft > hard:
        raise SyscallError(EINVAL)
    if resource == RLIMIT_NOFILE and hard > max(caller.kernel.limits.descriptors_max, old_hard):
        raise SyscallError(EPERM)
    if hard > old_hard and not caller.credentials.has(CAP_SYS_RESOURCE):
        raise SyscallError(EPERM)
    if resource in _FOLLOWED:
        group.leader.context.set_limit(resource, soft, hard)
    group.limits[resource] = (soft, hard)
    if resource == RLIMIT_NPROC:
        follow_process_limit(group.leader)
    if resource == RLIMIT_NOFILE:
        for task in group.tasks.values():
            task.fds.limit = soft


def exceeds_process_limit(task: "Task") -> bool:
    """Whether one more task would be too many for its real user. Linux: kernel/fork.c, copy_process()."""
    if _is_unlimited(task):
        return False
    return _population(task) >= get_limit(task.group, RLIMIT_NPROC)[0]


def follow_process_limit(task: "Task") -> None:
    """Tell the host, which counts all users of the sandbox as one where it lets births through: so the others' tasks of this
    moment, and the jail's own process, are added."""
    total = task.kernel.limits.tasks_max
    soft = total
    if not _is_unlimited(task):
        others = len(task.kernel.tasks.tasks) - _population(task) + 1
        limit = get_limit(task.group, RLIMIT_NPROC)[0]
        soft = min(limit + others, total) if limit else 0
    task.context.set_limit(RLIMIT_NPROC, soft, total)


def _is_unlimited(task: "Task") -> bool:
    creds = task.credentials
    if creds.uid == 0 or creds.has(CAP_SYS_RESOURCE) or creds.has(CAP_SYS_ADMIN):
        return True
    return get_limit(task.group, RLIMIT_NPROC)[0] == RLIM_INFINITY


def _population(task: "Task") -> int:
    uid = task.credentials.uid
    return sum(other.credentials.uid == uid for other in task.kernel.tasks.tasks.values())
