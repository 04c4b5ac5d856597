"""getpriority(2), setpriority(2): the host schedules the guest's threads, so it keeps their nice values."""

from sentry.kernel.ptrace_access import may_schedule
from sentry.kernel.scheduled import targets
from sentry.kernel.task import Task
from syscalls.abi.errno import EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import PRIO_PGRP, PRIO_PROCESS, PRIO_USER
from syscalls.args import PROCEED, Int, Result
from syscalls.registry import Support, syscall

_KINDS = (PRIO_PROCESS, PRIO_PGRP, PRIO_USER)
_NOTE = "PRIO_USER means the calling process's own tasks only; a nice value is lowered only as far as the host allows"


@syscall(man="getpriority(2)", support=Support.PARTIAL, note=_NOTE)
def sys_getpriority(task: Task, which: Int, who: Int) -> Result:
    """Return 20 minus the highest priority's nice value. Errors: EINVAL, ESRCH."""
    targets(task, _KINDS, which, who)
    return PROCEED


@syscall(man="getpriority(2)", support=Support.PARTIAL, note=_NOTE)
def sys_setpriority(task: Task, which: Int, who: Int, prio: Int) -> Result:
    """Set the nice value. Errors: EINVAL, ESRCH, EPERM not the owner, EACCES (from the host) lowering it."""
    if not all(may_schedule(task, other) for other in targets(task, _KINDS, which, who)):
        raise SyscallError(EPERM)
    return PROCEED
