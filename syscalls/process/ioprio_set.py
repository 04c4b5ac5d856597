"""ioprio_set(2): the host's block layer serves the guest's reads and writes of mapped files, so it keeps the priorities."""

from sentry.kernel.kill import is_host_exact
from sentry.kernel.ptrace_access import may_schedule
from sentry.kernel.scheduled import targets
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.ioprio import (
    IOPRIO_CLASS_IDLE,
    IOPRIO_CLASS_MASK,
    IOPRIO_CLASS_NONE,
    IOPRIO_CLASS_RT,
    IOPRIO_CLASS_SHIFT,
    IOPRIO_LEVEL_MASK,
    IOPRIO_WHO_PGRP,
    IOPRIO_WHO_PROCESS,
    IOPRIO_WHO_USER,
)
from syscalls.args import PROCEED, Int, Result
from syscalls.registry import Support, syscall

_KINDS = (IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP, IOPRIO_WHO_USER)
_NOTE = "IOPRIO_WHO_USER means the calling thread only; the real-time class is EPERM"


@syscall(man="ioprio_set(2)", support=Support.PARTIAL, note=_NOTE)
def sys_ioprio_get(task: Task, which: Int, who: Int) -> Result:
    """Return class and level. Errors: EINVAL, ESRCH."""
    _targets(task, which, who)
    return PROCEED


@syscall(man="ioprio_set(2)", support=Support.PARTIAL, note=_NOTE)
def sys_ioprio_set(task: Task, which: Int, who: Int, ioprio: Int) -> Result:
    """Set class and level. Errors: EINVAL, ESRCH, EPERM."""
    _check_priority(ioprio)
    if not all(may_schedule(task, other) for other in _targets(task, which, who)):
        raise SyscallError(EPERM)
    return PROCEED


def _check_priority(ioprio: int) -> None:
    """Before anybody is looked for. Errors: EINVAL, EPERM the real-time class."""
    kind = ioprio >> IOPRIO_CLASS_SHIFT & IOPRIO_CLASS_MASK
    if kind == IOPRIO_CLASS_RT:
        raise SyscallError(EPERM)
    if kind > IOPRIO_CLASS_IDLE or (kind == IOPRIO_CLASS_NONE and ioprio & IOPRIO_LEVEL_MASK):
        raise SyscallError(EINVAL)


def _targets(task: Task, which: int, who: int) -> list[Task]:
    found = targets(task, _KINDS, which, who)
    if which == IOPRIO_WHO_PGRP and who and not is_host_exact(task):
        raise SyscallError(ESRCH)  # the host numbers its own groups
    return found
