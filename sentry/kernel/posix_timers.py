"""POSIX timers (timer_create(2)): clocks, the signals they send, overruns."""

from typing import TYPE_CHECKING

from sentry.kernel.timers import REAL, SignalTimer
from sentry.platform.interface import SignalInfo
from syscalls.abi.errno import EAGAIN, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import RLIMIT_SIGPENDING
from syscalls.abi.signal import NSIG, SI_TIMER, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID
from syscalls.abi.time import CLOCK_REALTIME, CLOCK_REALTIME_ALARM, CLOCK_TAI

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup

TIMERS_MAX = 1024
OVERRUN_MAX = 0x7FFFFFFF
_WALL_CLOCKS = (CLOCK_REALTIME, CLOCK_REALTIME_ALARM, CLOCK_TAI)


class Notification:
    """struct sigevent, checked: ``thread`` is set for SIGEV_THREAD_ID."""

    __slots__ = ("is_silent", "signal", "thread", "timer_id", "value")

    def __init__(self, signal: int, value: int, *, is_silent: bool, thread: "Task | None") -> None:
        self.signal = signal
        self.value = value
        self.is_silent = is_silent
        self.thread = thread
        self.timer_id = 0


class PosixTimer(SignalTimer):
    """One timer. ``overrun`` counts the expirations that the last signal stands for, beyond the first."""

    __slots__ = ("_group", "_is_queued", "_missed", "clock", "notification", "overrun")

    def __init__(self, group: "ThreadGroup", clock: int, notification: Notification) -> None:
        super().__init__(group.leader.kernel.runner, self._notify)
        self._group = group
        self.clock = clock
        self.notification = notification
        self.overrun = 0
        self._missed = 0
        self._is_queued = False

    def set(self, value_ns: int, interval_ns: int, *, is_absolute: bool) -> None:
        """timer_settime(2); 0 disarms."""
        self.overrun = self._missed = 0
        if not value_ns:
            self.cancel()
            return
        kernel = self._group.leader.kernel
        now = kernel.runner.monotonic_ns()
        if not is_absolute:
            deadline = now + value_ns
        elif self.clock in _WALL_CLOCKS:
            deadline = now + value_ns - kernel.realtime_ns()
        else:
            deadline = value_ns
        self.arm(deadline, interval_ns)

    def _notify(self, count: int) -> None:
        notification = self.notification
        if notification.is_silent:
            return
        group = self._group
        task = notification.thread or group.leader
        if task.is_exiting:
            return
        if self._is_queued and task.context.pending_signals() >> (notification.signal - 1) & 1:
            self._missed = min(self._missed + count, OVERRUN_MAX)
            return
        self.overrun = self._missed = min(count - 1, OVERRUN_MAX)
        self._is_queued = True
        info = SignalInfo(SI_TIMER, notification.timer_id, self.overrun, notification.value)
        if notification.thread is not None:
            task.kernel.signals.send_task(task, notification.signal, info)
        else:
            task.kernel.signals.send_group(group, notification.signal, info)

    def delivered(self) -> int:
        """The signal is being delivered or taken: return its si_overrun, and count anew (timer_getoverrun(2))."""
        self._is_queued = False
        self.overrun, self._missed = self._missed, 0
        return self.overrun


def check_event(task: "Task", value: int, signal: int, notify: int, tid: int) -> Notification:
    """Return the checked form of a struct sigevent. Errors: EINVAL."""
    if notify == SIGEV_NONE:
        return Notification(0, value, is_silent=True, thread=None)
    if notify not in (SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID) or not 0 < signal <= NSIG:
        raise SyscallError(EINVAL)
    thread = None
    if notify == SIGEV_THREAD_ID:
        thread = task.group.tasks.get(tid)
        if thread is None:
            raise SyscallError(EINVAL)
    return Notification(signal, value, is_silent=False, thread=thread)


def next_id(group: "ThreadGroup") -> int:
    """The lowest free timer id. Errors: EAGAIN too many timers, each of which holds a queued signal (RLIMIT_SIGPENDING)."""
    if RLIMIT_SIGPENDING in group.limits and len(group.timers) >= group.limits[RLIMIT_SIGPENDING][0]:
        raise SyscallError(EAGAIN)
    for number in range(TIMERS_MAX):
        if number not in group.timers:
            return number
    raise SyscallError(EAGAIN)


def find(group: "ThreadGroup", timer_id: int) -> PosixTimer:
    """Errors: EINVAL no such timer."""
    timer = group.timers.get(timer_id)
    if timer_id == REAL or not isinstance(timer, PosixTimer):
        raise SyscallError(EINVAL)
    return timer


def delete_all(group: "ThreadGroup") -> None:
    """execve(2) ends all POSIX timers; the interval timer lives on."""
    for timer_id in [number for number in group.timers if number != REAL]:
        timer = group.timers.pop(timer_id)
        assert isinstance(timer, PosixTimer)
        timer.cancel()
