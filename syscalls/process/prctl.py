"""prctl(2): one call, many operations. Each operation has a function of its own below.

What the host must know too (the child subreaper, timer slack, huge pages, the TSC) is let through after the check: the
arguments are registers, and the pointers among them only receive results.
"""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from sentry.kernel import cred_change
from sentry.kernel.task import Task
from syscalls.abi import prctl as pr
from syscalls.abi.capability import CAP_LAST_CAP, CAP_SYS_RESOURCE
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.seccomp import SECCOMP_MODE_FILTER, SECCOMP_MODE_STRICT
from syscalls.abi.signal import NSIG
from syscalls.args import PROCEED, Int, Result, ULong
from syscalls.registry import Support, syscall
from syscalls.security import seccomp

_NAME_SIZE = 16
_Outcome = Result | Coroutine[Any, Any, Result]
_Operation = Callable[[Task, int, int, int, int], _Outcome]


@syscall(
    man="prctl(2)",
    support=Support.PARTIAL,
    note="no PR_SET_VMA, PR_SET_PTRACER, PR_SCHED_CORE (EINVAL); PR_SET_MM, PR_SET_IO_FLUSHER are EPERM",
)
def sys_prctl(task: Task, option: Int, arg2: ULong, arg3: ULong, arg4: ULong, arg5: ULong) -> _Outcome:
    """Change or read one property of the thread or process. Errors: EINVAL, EPERM, EFAULT."""
    operation = _OPERATIONS.get(option)
    if operation is None:
        raise SyscallError(EINVAL)
    return operation(task, arg2, arg3, arg4, arg5)


def _set_name(task: Task, arg2: int, *_: int) -> int:
    name = task.memory.guest.read_string(arg2, _NAME_SIZE - 1)
    task.name = task.memory.read(arg2, _NAME_SIZE - 1) if name is None else name
    return 0


def _get_name(task: Task, arg2: int, *_: int) -> int:
    task.memory.write(arg2, task.name.ljust(_NAME_SIZE, b"\0"))
    return 0


def _set_pdeathsig(task: Task, arg2: int, *_: int) -> int:
    if arg2 > NSIG:
        raise SyscallError(EINVAL)
    task.pdeath_signal = arg2
    return 0


def _get_pdeathsig(task: Task, arg2: int, *_: int) -> int:
    task.memory.write_u32(arg2, task.pdeath_signal)
    return 0


def _set_dumpable(task: Task, arg2: int, *_: int) -> int:
    if arg2 > 1:
        raise SyscallError(EINVAL)
    task.group.is_dumpable = bool(arg2)
    return 0


def _get_dumpable(task: Task, *_: int) -> int:
    return int(task.group.is_dumpable)


def _set_no_new_privs(task: Task, arg2: int, *rest: int) -> int:
    if arg2 != 1 or any(rest):
        raise SyscallError(EINVAL)
    task.credentials = replace(task.credentials, no_new_privs=True)
    return 0


def _get_no_new_privs(task: Task, *rest: int) -> int:
    _check_zero(rest)
    return int(task.credentials.no_new_privs)


def _set_keepcaps(task: Task, arg2: int, *_: int) -> int:
    if arg2 > 1:
        raise SyscallError(EINVAL)
    task.credentials = cred_change.set_keep_capabilities(task.credentials, value=bool(arg2))
    return 0


def _get_keepcaps(task: Task, *_: int) -> int:
    return int(bool(task.credentials.securebits & cred_change.SECBIT_KEEP_CAPS))


def _capbset_read(task: Task, arg2: int, *_: int) -> int:
    if arg2 > CAP_LAST_CAP:
        raise SyscallError(EINVAL)
    return task.credentials.bounding >> arg2 & 1


def _capbset_drop(task: Task, arg2: int, *_: int) -> int:
    task.credentials = cred_change.drop_bounding(task.credentials, arg2)
    return 0


def _set_securebits(task: Task, arg2: int, *_: int) -> int:
    task.credentials = cred_change.set_securebits(task.credentials, arg2)
    return 0


def _get_securebits(task: Task, *_: int) -> int:
    return task.credentials.securebits


def _cap_ambient(task: Task, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    creds = task.credentials
    if arg4 or arg5 or arg3 > CAP_LAST_CAP or (arg2 == pr.PR_CAP_AMBIENT_CLEAR_ALL and arg3):
        raise SyscallError(EINVAL)
    if arg2 == pr.PR_CAP_AMBIENT_CLEAR_ALL:
        task.credentials = replace(creds, ambient=0)
    elif arg2 == pr.PR_CAP_AMBIENT_IS_SET:
        return creds.ambient >> arg3 & 1
    elif arg2 == pr.PR_CAP_AMBIENT_RAISE:
        task.credentials = cred_change.raise_ambient(creds, arg3)
    elif arg2 == pr.PR_CAP_AMBIENT_LOWER:
        task.credentials = replace(creds, ambient=creds.ambient & ~(1 << arg3))
    else:
        raise SyscallError(EINVAL)
    return 0


def _set_child_subreaper(task: Task, arg2: int, *_: int) -> Result:
    task.group.is_child_subreaper = bool(arg2)
    return PROCEED  # the host's orphans must find the same new parent


def _get_child_subreaper(task: Task, arg2: int, *_: int) -> int:
    task.memory.write_u32(arg2, int(task.group.is_child_subreaper))
    return 0


def _get_seccomp(task: Task, *_: int) -> int:
    return task.seccomp_mode  # the jail's filter is not the guest's business


def _set_seccomp(task: Task, arg2: int, arg3: int, *_: int) -> seccomp.Outcome:
    if arg2 == SECCOMP_MODE_STRICT:
        return seccomp.set_mode_strict(task)
    if arg2 == SECCOMP_MODE_FILTER:
        return seccomp.set_mode_filter(task, 0, arg3)
    raise SyscallError(EINVAL)


def _get_timing(task: Task, *_: int) -> int:
    return 0  # PR_TIMING_STATISTICAL


def _set_timing(task: Task, arg2: int, *_: int) -> int:
    if arg2 != pr.PR_TIMING_STATISTICAL:
        raise SyscallError(EINVAL)
    return 0


def _set_user_dispatch(task: Task, arg2: int, *rest: int) -> int:
    """Nothing but off, which it is."""
    if arg2 != pr.PR_SYS_DISPATCH_OFF or any(rest):
        raise SyscallError(EINVAL)
    return 0


def _set_mm(task: Task, arg2: int, _arg3: int, arg4: int, arg5: int) -> int:
    if arg5 or (arg4 and arg2 not in (pr.PR_SET_MM_AUXV, pr.PR_SET_MM_MAP, pr.PR_SET_MM_MAP_SIZE)):
        raise SyscallError(EINVAL)
    raise SyscallError(EINVAL if task.credentials.has(CAP_SYS_RESOURCE) else EPERM)


def _perf_events(task: Task, *_: int) -> int:
    return 0  # it has none: perf_event_open(2) is refused


def _not_permitted(task: Task, *_: int) -> int:
    raise SyscallError(EPERM)


def _let_through(task: Task, *_: int) -> Result:
    return PROCEED


def _check_zero(arguments: tuple[int, ...]) -> None:
    if any(arguments):
        raise SyscallError(EINVAL)


_OPERATIONS: dict[int, _Operation] = {
    pr.PR_SET_NAME: _set_name,
    pr.PR_GET_NAME: _get_name,
    pr.PR_SET_PDEATHSIG: _set_pdeathsig,
    pr.PR_GET_PDEATHSIG: _get_pdeathsig,
    pr.PR_SET_DUMPABLE: _set_dumpable,
    pr.PR_GET_DUMPABLE: _get_dumpable,
    pr.PR_SET_NO_NEW_PRIVS: _set_no_new_privs,
    pr.PR_GET_NO_NEW_PRIVS: _get_no_new_privs,
    pr.PR_SET_KEEPCAPS: _set_keepcaps,
    pr.PR_GET_KEEPCAPS: _get_keepcaps,
    pr.PR_CAPBSET_READ: _capbset_read,
    pr.PR_CAPBSET_DROP: _capbset_drop,
    pr.PR_SET_SECUREBITS: _set_securebits,
    pr.PR_GET_SECUREBITS: _get_securebits,
    pr.PR_CAP_AMBIENT: _cap_ambient,
    pr.PR_SET_CHILD_SUBREAPER: _set_child_subreaper,
    pr.PR_GET_CHILD_SUBREAPER: _get_child_subreaper,
    pr.PR_GET_SECCOMP: _get_seccomp,
    pr.PR_SET_SECCOMP: _set_seccomp,
    pr.PR_SET_MM: _set_mm,
    pr.PR_SET_IO_FLUSHER: _not_permitted,
    pr.PR_GET_IO_FLUSHER: _not_permitted,
    pr.PR_SET_TIMERSLACK: _let_through,
    pr.PR_GET_TIMERSLACK: _let_through,
    pr.PR_SET_TSC: _let_through,
    pr.PR_GET_TSC: _let_through,
    pr.PR_SET_THP_DISABLE: _let_through,
    pr.PR_GET_THP_DISABLE: _let_through,
    pr.PR_GET_SPECULATION_CTRL: _let_through,
    pr.PR_SET_SPECULATION_CTRL: _let_through,
    pr.PR_MCE_KILL: _let_through,
    pr.PR_MCE_KILL_GET: _let_through,
    pr.PR_SET_MDWE: _let_through,
    pr.PR_GET_MDWE: _let_through,
    pr.PR_TASK_PERF_EVENTS_DISABLE: _perf_events,
    pr.PR_TASK_PERF_EVENTS_ENABLE: _perf_events,
    pr.PR_GET_TID_ADDRESS: _let_through,
    pr.PR_GET_TIMING: _get_timing,
    pr.PR_SET_TIMING: _set_timing,
    pr.PR_SET_SYSCALL_USER_DISPATCH: _set_user_dispatch,
}
