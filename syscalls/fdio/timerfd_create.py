"""timerfd_create(2), timerfd_settime(2), timerfd_gettime(2)."""

from typing import Annotated

from sentry.fs.anon import anon_inode
from sentry.fs.timerfd import TimerFile
from sentry.kernel.task import Task
from syscalls.abi.capability import CAP_WAKE_ALARM
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.time import (
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
    ITIMERSPEC,
    NSEC_PER_SEC,
)
from syscalls.abi.timerfd import TFD_CLOEXEC, TFD_NONBLOCK, TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET
from syscalls.args import Fd, Flags, Int, UserPtr
from syscalls.registry import Support, syscall

_CLOCKS = (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)
_ALARMS = (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)
_NOTE = "the boot-time clock is the monotonic one; a sandbox is not suspended, so alarms wake nothing up"
_SECONDS_MAX = (1 << 63) // NSEC_PER_SEC - 1


@syscall(man="timerfd_create(2)", support=Support.PARTIAL, note=_NOTE)
def sys_timerfd_create(task: Task, clockid: Int, flags: Annotated[int, Flags("TFD", TFD_CLOEXEC | TFD_NONBLOCK)]) -> int:
    """Return a descriptor for a new timer. Errors: EINVAL, EPERM an alarm clock without CAP_WAKE_ALARM, EMFILE."""
    if clockid not in _CLOCKS:
        raise SyscallError(EINVAL)
    if clockid in _ALARMS and not task.credentials.has(CAP_WAKE_ALARM):
        raise SyscallError(EPERM)
    file = TimerFile(anon_inode(task.kernel, b"timerfd"), O_RDWR | flags & TFD_NONBLOCK, task.kernel, clockid)
    return task.fds.install(file, cloexec=bool(flags & TFD_CLOEXEC))


@syscall(man="timerfd_create(2)")
def sys_timerfd_settime(
    task: Task,
    fd: Fd,
    flags: Annotated[int, Flags("TFD_TIMER", TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)],
    new_value: UserPtr,
    old_value: UserPtr,
) -> int:
    """Arm or disarm. Errors: EBADF, EFAULT, EINVAL not a timer or a time that is none."""
    interval_s, interval_ns, value_s, value_ns = task.memory.read_struct(ITIMERSPEC, new_value)
    new = _nanoseconds(value_s, value_ns), _nanoseconds(interval_s, interval_ns)
    value, interval = _timer(task, fd).set_time(flags, *new)
    if old_value:
        _store(task, old_value, value, interval)
    return 0


@syscall(man="timerfd_create(2)")
def sys_timerfd_gettime(task: Task, fd: Fd, curr_value: UserPtr) -> int:
    """Store the time to the next expiration and the interval. Errors: EBADF, EFAULT, EINVAL not a timer."""
    value, interval = _timer(task, fd).get_time()
    _store(task, curr_value, value, interval)
    return 0


def _timer(task: Task, fd: int) -> TimerFile:
    file = task.fds.get(fd)
    if not isinstance(file, TimerFile):
        raise SyscallError(EINVAL)
    return file


def _nanoseconds(seconds: int, nanoseconds: int) -> int:
    if seconds < 0 or not 0 <= nanoseconds < NSEC_PER_SEC:
        raise SyscallError(EINVAL)
    return min(seconds, _SECONDS_MAX) * NSEC_PER_SEC + nanoseconds


def _store(task: Task, addr: int, value: int, interval: int) -> None:
    task.memory.write(addr, ITIMERSPEC.pack(*divmod(interval, NSEC_PER_SEC), *divmod(value, NSEC_PER_SEC)))
