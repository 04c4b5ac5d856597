"""seccomp(2): the guest's own filters. The host evaluates them, stacked on the jail's: they can only take away."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from sentry.kernel.task import Task
from sentry.sched.wait import Latch
from syscalls.abi.capability import CAP_SYS_ADMIN
from syscalls.abi.errno import EACCES, EBUSY, EINVAL, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.seccomp import (
    BPF_MAXINSNS,
    SECCOMP_FILTER_FLAG_NEW_LISTENER,
    SECCOMP_FILTER_FLAG_SPEC_ALLOW,
    SECCOMP_FILTER_FLAG_TSYNC,
    SECCOMP_FILTER_FLAG_TSYNC_ESRCH,
    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
    SECCOMP_GET_ACTION_AVAIL,
    SECCOMP_GET_NOTIF_SIZES,
    SECCOMP_MODE_FILTER,
    SECCOMP_MODE_STRICT,
    SECCOMP_NOTIF_SIZES,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_ERRNO,
    SECCOMP_RET_KILL_PROCESS,
    SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_LOG,
    SECCOMP_RET_TRACE,
    SECCOMP_RET_TRAP,
    SECCOMP_RET_USER_NOTIF,
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_SET_MODE_STRICT,
    SOCK_FILTER_SIZE,
    SOCK_FPROG,
)
from syscalls.args import UInt, UserPtr
from syscalls.registry import Support, syscall

Outcome = int | Coroutine[Any, Any, int]

_KNOWN_FLAGS = 0x3F
_HOST_FLAGS = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH | SECCOMP_FILTER_FLAG_SPEC_ALLOW
_ACTIONS = frozenset(
    (
        SECCOMP_RET_KILL_PROCESS,
        SECCOMP_RET_KILL_THREAD,
        SECCOMP_RET_TRAP,
        SECCOMP_RET_ERRNO,
        SECCOMP_RET_USER_NOTIF,
        SECCOMP_RET_TRACE,
        SECCOMP_RET_LOG,
        SECCOMP_RET_ALLOW,
    )
)
_NOTIF_SIZES = (80, 24, 64)
_NOTE = (
    "a listener is EBUSY; without one, and without a tracer, USER_NOTIF and TRACE are ENOSYS as in Linux, but outrank an "
    "older filter's ERRNO; LOG lets the call go on and "
    "logs nothing; programs of more than about 4000 instructions are ENOMEM"
)


@syscall(man="seccomp(2)", support=Support.PARTIAL, note=_NOTE)
def sys_seccomp(task: Task, operation: UInt, flags: UInt, args: UserPtr) -> Outcome:
    """Restrict the caller's system calls. Errors: EINVAL, EFAULT, EACCES, EBUSY, ENOMEM, ESRCH, EOPNOTSUPP."""
    if operation == SECCOMP_SET_MODE_FILTER:
        return set_mode_filter(task, flags, args)
    if operation == SECCOMP_SET_MODE_STRICT and not flags and not args:
        return set_mode_strict(task)
    if operation == SECCOMP_GET_ACTION_AVAIL and not flags:
        if task.memory.read_u32(args) not in _ACTIONS:
            raise SyscallError(EOPNOTSUPP)
        return 0
    if operation == SECCOMP_GET_NOTIF_SIZES and not flags:
        task.memory.write(args, SECCOMP_NOTIF_SIZES.pack(*_NOTIF_SIZES))
        return 0
    raise SyscallError(EINVAL)


def set_mode_filter(task: Task, flags: int, args: int) -> Outcome:
    """Stack a program on the thread. Errors: EINVAL, EFAULT, EACCES, EBUSY, ENOMEM, ESRCH."""
    has_listener = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER
    if flags & ~_KNOWN_FLAGS or (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV and not has_listener):
        raise SyscallError(EINVAL)
    if has_listener and flags & SECCOMP_FILTER_FLAG_TSYNC and not flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH:
        raise SyscallError(EINVAL)
    length, program = task.memory.read_struct(SOCK_FPROG, args)
    if not 0 < length <= BPF_MAXINSNS:
        raise SyscallError(EINVAL)
    if not task.credentials.no_new_privs and not task.credentials.has(CAP_SYS_ADMIN):
        raise SyscallError(EACCES)
    code = task.memory.read(program, length * SOCK_FILTER_SIZE)
    if has_listener:
        raise SyscallError(EBUSY)
    return _add_filter(task, code, flags)


def set_mode_strict(task: Task) -> Outcome:
    """Allow read, write, exit and rt_sigreturn only. Errors: EINVAL the thread has filters."""
    if task.seccomp_mode:
        raise SyscallError(EINVAL)
    return _enter_strict_mode(task)


async def _add_filter(task: Task, code: bytes, flags: int) -> int:
    result = await _answer(task, lambda done: task.context.add_filter(code, flags & _HOST_FLAGS, done))
    if result == 0:
        task.seccomp_mode = SECCOMP_MODE_FILTER
        task.seccomp_filters += 1
        if flags & SECCOMP_FILTER_FLAG_TSYNC:
            _synchronise(task)
    return result


def _synchronise(task: Task) -> None:
    for other in task.group.tasks.values():
        other.seccomp_mode, other.seccomp_filters = task.seccomp_mode, task.seccomp_filters
        if task.credentials.no_new_privs and not other.credentials.no_new_privs:
            other.credentials = replace(other.credentials, no_new_privs=True)


async def _enter_strict_mode(task: Task) -> int:
    result = await _answer(task, task.context.enter_strict_mode)
    if result == 0:
        task.seccomp_mode = SECCOMP_MODE_STRICT
    return result


async def _answer(task: Task, start: Callable[[Callable[[int], None]], None]) -> int:
    latch = Latch()
    start(latch.fire)
    result = await latch.wait(task.fiber)
    assert isinstance(result, int)
    return result
