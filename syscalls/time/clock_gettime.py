"""clock_gettime(2), clock_getres(2), clock_nanosleep(2): fixed clocks run natively, a process's own clock after a look at whose.

The number of a CPU-time clock holds the inverted process number (Linux: include/linux/posix-timers_types.h).
"""

from sentry.kernel.task import Task
from syscalls.abi.capability import CAP_WAKE_ALARM
from syscalls.abi.errno import EINVAL, EOPNOTSUPP, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.time import (
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME_ALARM,
    CLOCK_REALTIME_COARSE,
    CLOCK_TAI,
)
from syscalls.args import PROCEED, Int, Result, UserPtr
from syscalls.registry import syscall

_FIXED = "reads a fixed clock; the vDSO does so without a call"
_CONDITION = "a fixed clock"
_KIND, _THREAD, _DESCRIPTOR = 3, 4, 3
_UNSLEEPABLE = (CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE)
_ALARMS = (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)
_ABSENT = 10  # CLOCK_SGI_CYCLE


@syscall(man="clock_gettime(2)", native=_FIXED, condition=_CONDITION)
def sys_clock_gettime(task: Task, clockid: Int, tp: UserPtr) -> Result:
    """Store a clock's time. Errors: EINVAL, EFAULT."""
    check_clock(task, clockid)
    return PROCEED


@syscall(man="clock_gettime(2)", native="a constant of the host", condition=_CONDITION)
def sys_clock_getres(task: Task, clockid: Int, res: UserPtr) -> Result:
    """Store a clock's resolution. Errors: EINVAL, EFAULT."""
    check_clock(task, clockid)
    return PROCEED


@syscall(man="clock_nanosleep(2)", native="sleeps; host signals end it exactly", condition=_CONDITION)
def sys_clock_nanosleep(task: Task, clockid: Int, flags: Int, request: UserPtr, remain: UserPtr) -> Result:
    """Sleep on a clock. Errors: EINVAL, EOPNOTSUPP, EPERM, EFAULT, EINTR."""
    check_clock(task, clockid)
    if clockid in _UNSLEEPABLE:
        raise SyscallError(EOPNOTSUPP)
    if clockid in _ALARMS and not task.credentials.has(CAP_WAKE_ALARM):
        raise SyscallError(EPERM)
    return PROCEED


def check_clock(task: Task, clockid: int) -> None:
    """Errors: EINVAL no clock, or that of a process or thread that the caller may not ask."""
    if 0 <= clockid <= CLOCK_TAI and clockid != _ABSENT:
        return
    if clockid >= 0 or clockid & _KIND == _DESCRIPTOR:
        raise SyscallError(EINVAL)
    pid = ~(clockid >> 3)
    tables = task.kernel.tasks
    if pid == 0:
        return
    if clockid & _THREAD:
        other = tables.find_task(pid)
        if other is None or other.group is not task.group:
            raise SyscallError(EINVAL)
    elif tables.find_group(pid) is None:
        raise SyscallError(EINVAL)
