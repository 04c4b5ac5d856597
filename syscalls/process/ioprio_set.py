"""ioprio_set(2): the host's block layer serves the guest's reads and writes of mapped files, so it keeps the priorities.

``who`` is checked against the sentry's tables first; IOPRIO_WHO_USER would reach everything of the jail's one host user.
"""

from sentry.kernel.kill import is_host_exact
from sentry.kernel.ptrace_access import may_schedule
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.ioprio import IOPRIO_WHO_PGRP, IOPRIO_WHO_PROCESS, IOPRIO_WHO_USER
from syscalls.args import PROCEED, Int, Result
from syscalls.registry import Support, syscall

_NOTE = "IOPRIO_WHO_USER means the calling thread only; the real-time class is EPERM"


@syscall(man="ioprio_set(2)", support=Support.PARTIAL, note=_NOTE)
def sys_ioprio_get(task: Task, which: Int, who: Int) -> Result:
    """Return class and level. Errors: EINVAL, ESRCH."""
    _targets(task, which, who)
    return PROCEED


@syscall(man="ioprio_set(2)", support=Support.PARTIAL, note=_NOTE)
def sys_ioprio_set(task: Task, which: Int, who: Int, ioprio: Int) -> Result:
    """Set class and level. Errors: EINVAL, ESRCH, EPERM."""
    if not all(may_schedule(task, other) for other in _targets(task, which, who)):
        raise SyscallError(EPERM)
    return PROCEED


def _targets(task: Task, which: int, who: int) -> list[Task]:
    tables = task.kernel.tasks
    if which == IOPRIO_WHO_PROCESS:
        found = task if who == 0 else tables.find_task(who)
        targets = [found] if found is not None else []
    elif which == IOPRIO_WHO_PGRP:
        process_group = task.group.process_group if who == 0 else tables.process_groups.get(who)
        members = process_group.members.values() if process_group is not None else ()
        targets = [member for group in members for member in group.tasks.values()]
    elif which == IOPRIO_WHO_USER:
        targets = [task] if who == 0 else []  # another user's number would mean nothing to the host
    else:
        raise SyscallError(EINVAL)
    if not targets or (who and not is_host_exact(task) and which != IOPRIO_WHO_PROCESS):
        raise SyscallError(ESRCH)
    return targets
