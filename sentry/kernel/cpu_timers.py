"""POSIX timers on processor time (timer_create(2), clock_getres(2), "CPU-time clocks").

The host's own such timers would not reach a thread that waits in a trapped call, so the sentry looks at the clock: not before the
time could have been used up by as many threads as there are processors, and rarer while nothing runs.
"""

from typing import TYPE_CHECKING, Final

from sentry.host import clock
from sentry.kernel.posix_timers import Notification, PosixTimer

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup

#: Linux looks at every tick; so often at most do we
_LOOK_MIN_NS: Final = 1_000_000
_LOOK_MAX_NS: Final = 100_000_000


class CpuTimer(PosixTimer):
    """A timer of ``group`` on the processor time of the process ``watched``, or of one ``thread``. Times are that clock's own."""

    __slots__ = ("_seen_ns", "_thread", "_wait_ns", "_watched")

    def __init__(
        self, group: "ThreadGroup", clockid: int, notification: Notification, thread: "Task | None", watched: "ThreadGroup"
    ) -> None:
        super().__init__(group, clockid, notification)
        self._thread = thread
        self._watched = watched
        self._seen_ns = 0
        self._wait_ns = _LOOK_MIN_NS

    def set(self, value_ns: int, interval_ns: int, *, is_absolute: bool) -> None:
        """timer_settime(2); 0 disarms."""
        self.cancel()
        self.overrun = self._missed = 0
        if not value_ns:
            return
        now = self._read()
        self.deadline_ns = value_ns if is_absolute else now + value_ns
        self.interval_ns = interval_ns
        self._wait_ns = _LOOK_MIN_NS
        self._look()

    def remaining(self) -> tuple[int, int]:
        """Processor time to the next expiration (0 disarmed, at least 1 armed), and the interval."""
        if self.deadline_ns is None:
            return 0, self.interval_ns
        return max(self.deadline_ns - self._read(), 1), self.interval_ns

    def _look(self) -> None:
        deadline, now = self.deadline_ns, self._read()
        if deadline is None or self._is_over:
            self.cancel()
            return
        if now >= deadline:
            count = 1
            if self.interval_ns:
                count += (now - deadline) // self.interval_ns
                self.deadline_ns = deadline = deadline + count * self.interval_ns
            else:
                self.deadline_ns = None
            self._notify(count)
            if self.deadline_ns is None:
                self._timer = None
                return
        threads = 1 if self._thread is not None else max(1, min(len(self._watched.tasks), clock.processors()))
        was_idle, self._seen_ns = now == self._seen_ns, now
        self._wait_ns = min(self._wait_ns * 2, _LOOK_MAX_NS) if was_idle else _LOOK_MIN_NS
        wait = max((deadline - now) // threads, self._wait_ns)
        self._timer = self._runner.call_at(self._runner.monotonic_ns() + wait, self._look)

    @property
    def _is_over(self) -> bool:
        return not self._group.is_alive or not self._watched.is_alive or (self._thread is not None and self._thread.is_exiting)

    def _read(self) -> int:
        if self._is_over:
            return 0
        if self._thread is not None:
            return clock.thread_cpu_ns(self._thread.context.host_tid)
        return clock.process_cpu_ns(self._watched.host_pid)
