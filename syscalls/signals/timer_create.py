"""timer_create(2), timer_settime(2), timer_gettime(2), timer_getoverrun(2), timer_delete(2)."""

from sentry.kernel import posix_timers
from sentry.kernel.task import Task
from syscalls.abi.capability import CAP_WAKE_ALARM
from syscalls.abi.errno import EINVAL, EOPNOTSUPP, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.signal import SIGALRM, SIGEVENT
from syscalls.abi.time import (
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
    CLOCK_REALTIME_COARSE,
    CLOCK_TAI,
    CLOCK_THREAD_CPUTIME_ID,
    ITIMERSPEC,
    NSEC_PER_SEC,
    TIMER_ABSTIME,
)
from syscalls.args import Int, UserPtr
from syscalls.registry import syscall
from syscalls.time.clock_gettime import check_clock

_CLOCKS = (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI)
_ALARM_CLOCKS = (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)
#: the fields of a CPU clock's number (Linux: include/linux/posix-timers_types.h)
_KIND, _THREAD, _SCHED = 3, 4, 2
_CLOCKS_WITHOUT_TIMERS = (CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE)


@syscall(man="timer_create(2)")
def sys_timer_create(task: Task, clockid: Int, sevp: UserPtr, timerid: UserPtr) -> int:
    """Make a timer. Errors: EFAULT, EINVAL, EOPNOTSUPP, EPERM, EAGAIN."""
    event = task.memory.read_struct(SIGEVENT, sevp) if sevp else None
    if clockid in _CLOCKS_WITHOUT_TIMERS:
        raise SyscallError(EOPNOTSUPP)
    if clockid in _ALARM_CLOCKS:
        if not task.credentials.has(CAP_WAKE_ALARM):
            raise SyscallError(EPERM)
    elif clockid not in _CLOCKS and not _is_cpu_clock(task, clockid):
        raise SyscallError(EINVAL)
    group = task.group
    number = posix_timers.next_id(group)
    if event is None:
        notification = posix_timers.Notification(SIGALRM, number, is_silent=False, thread=None)
    else:
        value, signal, notify, tid = event
        notification = posix_timers.check_event(task, value, signal, notify, tid)
    notification.timer_id = number
    task.memory.write_u32(timerid, number)
    if clockid in _CLOCKS or clockid in _ALARM_CLOCKS:
        group.timers[number] = posix_timers.PosixTimer(group, clockid, notification)
    else:
        group.timers[number] = _cpu_timer(task, clockid, notification)
    return 0


def _is_cpu_clock(task: Task, clockid: int) -> bool:
    """Whether it is the clock of a process, or of a thread of the caller's. Errors: EINVAL."""
    if clockid >= 0:
        return clockid in (CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID)
    check_clock(task, clockid)
    return clockid & _KIND == _SCHED


def _cpu_timer(task: Task, clockid: int, notification: posix_timers.Notification) -> posix_timers.PosixTimer:
    from sentry.kernel.cpu_timers import CpuTimer

    tables = task.kernel.tasks
    group, thread = task.group, task if clockid == CLOCK_THREAD_CPUTIME_ID else None
    if clockid < 0:
        number = ~(clockid >> 3)
        if clockid & _THREAD:
            thread = tables.find_task(number) if number else task
        elif number:
            group = tables.find_group(number) or group
    return CpuTimer(task.group, clockid, notification, thread, group)


@syscall(man="timer_settime(2)")
def sys_timer_settime(task: Task, timerid: Int, flags: Int, new_value: UserPtr, old_value: UserPtr) -> int:
    """Arm or disarm a timer. Errors: EINVAL, EFAULT."""
    if not new_value:
        raise SyscallError(EINVAL)
    interval_s, interval_ns, value_s, value_ns = task.memory.read_struct(ITIMERSPEC, new_value)
    for seconds, nanoseconds in ((interval_s, interval_ns), (value_s, value_ns)):
        if seconds < 0 or not 0 <= nanoseconds < NSEC_PER_SEC:
            raise SyscallError(EINVAL)
    timer = posix_timers.find(task.group, timerid)
    old = timer.remaining()
    timer.set(value_s * NSEC_PER_SEC + value_ns, interval_s * NSEC_PER_SEC + interval_ns, is_absolute=bool(flags & TIMER_ABSTIME))
    if old_value:
        _store(task, old_value, *old)
    return 0


@syscall(man="timer_settime(2)")
def sys_timer_gettime(task: Task, timerid: Int, curr_value: UserPtr) -> int:
    """Store what is left of a timer. Errors: EINVAL, EFAULT."""
    _store(task, curr_value, *posix_timers.find(task.group, timerid).remaining())
    return 0


@syscall(man="timer_getoverrun(2)")
def sys_timer_getoverrun(task: Task, timerid: Int) -> int:
    """Return how many expirations the last signal stands for beyond the first. Errors: EINVAL."""
    return posix_timers.find(task.group, timerid).overrun


@syscall(man="timer_delete(2)")
def sys_timer_delete(task: Task, timerid: Int) -> int:
    """Delete a timer. Errors: EINVAL."""
    posix_timers.find(task.group, timerid).cancel()
    del task.group.timers[timerid]
    return 0


def _store(task: Task, addr: int, value_ns: int, interval_ns: int) -> None:
    task.memory.write(addr, ITIMERSPEC.pack(*divmod(interval_ns, NSEC_PER_SEC), *divmod(value_ns, NSEC_PER_SEC)))
