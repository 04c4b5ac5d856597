"""getpriority(2), setpriority(2): the host schedules the guest's threads, so it keeps their nice values.

``who`` is checked against the sentry's tables first; PRIO_USER would reach everything of the jail's one host user.
"""

from sentry.kernel.ptrace_access import may_schedule
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import PRIO_PGRP, PRIO_PROCESS, PRIO_USER
from syscalls.args import PROCEED, Int, Result
from syscalls.registry import Support, syscall

_NOTE = "PRIO_USER means the calling process's own tasks only; a nice value is lowered only as far as the host allows"


@syscall(man="getpriority(2)", support=Support.PARTIAL, note=_NOTE)
def sys_getpriority(task: Task, which: Int, who: Int) -> Result:
    """Return 20 minus the highest priority's nice value. Errors: EINVAL, ESRCH."""
    _targets(task, which, who)
    return PROCEED


@syscall(man="getpriority(2)", support=Support.PARTIAL, note=_NOTE)
def sys_setpriority(task: Task, which: Int, who: Int, prio: Int) -> Result:
    """Set the nice value. Errors: EINVAL, ESRCH, EPERM not the owner, EACCES (from the host) lowering it."""
    if not all(may_schedule(task, other) for other in _targets(task, which, who)):
        raise SyscallError(EPERM)
    return PROCEED


def _targets(task: Task, which: int, who: int) -> list[Task]:
    tables = task.kernel.tasks
    if which == PRIO_PROCESS:
        found = task if who == 0 else tables.find_task(who)
        targets = [found] if found is not None else []
    elif which == PRIO_PGRP:
        process_group = task.group.process_group if who == 0 else tables.find_process_group(who)
        members = process_group.members.values() if process_group is not None else ()
        targets = [member for group in members for member in group.tasks.values()]
    elif which == PRIO_USER:
        # Differs from Linux: another user's number would mean nothing to the host.
        targets = [task] if who == 0 else []
    else:
        raise SyscallError(EINVAL)
    if not targets:
        raise SyscallError(ESRCH)
    return targets
