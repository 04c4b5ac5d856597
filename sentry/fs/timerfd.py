"""timerfd_create(2): expirations of a timer as a readable counter. Linux: fs/timerfd.c."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sentry.fs.anon import AnonFile
from sentry.vfs.readiness import POLLIN
from syscalls.abi.errno import ECANCELED, EINVAL
from syscalls.abi.errors import Fault, SyscallError
from syscalls.abi.time import CLOCK_REALTIME, CLOCK_REALTIME_ALARM, NSEC_PER_SEC
from syscalls.abi.timerfd import TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.sched.runner import Timer
    from sentry.vfs.inode import Inode
    from sentry.vfs.io import Sink

_WORD = 8
#: a realtime timer looks at its clock at least this often, in case somebody has set it
_RECHECK_NS = 60 * NSEC_PER_SEC


class TimerFile(AnonFile):
    """A timer on ``clockid``. Deadlines are kept on that clock; the runner counts monotonic time."""

    __slots__ = ("_deadline_ns", "_interval_ns", "_kernel", "_offset_ns", "_ticks", "_timer", "clockid", "settime_flags")

    def __init__(self, inode: "Inode", flags: int, kernel: "Kernel", clockid: int) -> None:
        super().__init__(inode, flags)
        self._kernel = kernel
        self.clockid = clockid
        self.settime_flags = 0
        self._deadline_ns: int | None = None
        self._interval_ns = 0
        self._ticks = 0
        self._timer: Timer | None = None
        self._offset_ns = 0  # between the clocks when it was set, for TFD_TIMER_CANCEL_ON_SET

    def set_time(self, flags: int, value_ns: int, interval_ns: int) -> tuple[int, int]:
        """Arm (``value_ns`` > 0) or disarm; returns the previous (value, interval) as ``get_time`` does."""
        previous = self.get_time()
        self._stop()
        self._ticks = 0
        self.settime_flags = flags
        self._interval_ns = interval_ns
        self._deadline_ns = None
        self._offset_ns = self._clock_offset()
        if value_ns:
            self._deadline_ns = value_ns if flags & TFD_TIMER_ABSTIME else self._now() + value_ns
            self._count()
            if self._ticks:
                self.queue.wake(POLLIN)
            self._arm()
        return previous

    def get_time(self) -> tuple[int, int]:
        """Return (time to the next expiration, interval); the first is 0 when disarmed."""
        self._count()
        self._arm()
        deadline = self._deadline_ns
        return 0 if deadline is None else max(deadline - self._now(), 1), self._interval_ns

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Store the number of expirations since the last read. Errors: EINVAL fewer than 8 bytes, ECANCELED the clock was set."""
        if sink.remaining < _WORD:
            raise SyscallError(EINVAL)
        if self._is_cancelled():
            self._offset_ns = self._clock_offset()
            self._ticks = 0
            raise SyscallError(ECANCELED)
        self._count()
        ticks = self._ticks
        if not ticks:
            self._arm()
            return None
        self._ticks = 0
        self._arm()
        if sink.put(ticks.to_bytes(_WORD, "little")) < _WORD:
            raise Fault
        return _WORD

    def readiness(self) -> int:
        """Readable after an expiration."""
        self._count()
        return POLLIN if self._ticks or self._is_cancelled() else 0

    def close(self) -> None:
        """Stop the timer."""
        self._stop()

    def fdinfo(self) -> bytes:
        """Lines of /proc/PID/fdinfo/N."""
        value, interval = self.get_time()
        seconds = (*divmod(value, NSEC_PER_SEC), *divmod(interval, NSEC_PER_SEC))
        head = b"clockid: %d\nticks: %d\nsettime flags: 0%o\n" % (self.clockid, self._ticks, self.settime_flags)
        return head + b"it_value: (%d, %d)\nit_interval: (%d, %d)\n" % seconds

    @property
    def _is_realtime(self) -> bool:
        return self.clockid in (CLOCK_REALTIME, CLOCK_REALTIME_ALARM)

    @property
    def _clock(self) -> Callable[[], int]:
        return self._kernel.realtime_ns if self._is_realtime else self._kernel.runner.monotonic_ns

    def _now(self) -> int:
        return self._clock()

    def _clock_offset(self) -> int:
        return self._kernel.realtime_ns() - self._kernel.runner.monotonic_ns() if self._is_realtime else 0

    def _is_cancelled(self) -> bool:
        wanted = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET
        if self.settime_flags & wanted != wanted or not self._is_realtime:
            return False
        return abs(self._clock_offset() - self._offset_ns) > NSEC_PER_SEC // 2

    def _count(self) -> None:
        """Count the expirations up to now; a one-shot timer is disarmed by its only one."""
        deadline = self._deadline_ns
        if deadline is None:
            return
        late = self._now() - deadline
        if late < 0:
            return
        if self._interval_ns:
            ticks = 1 + late // self._interval_ns
            self._deadline_ns = deadline + ticks * self._interval_ns
        else:
            ticks = 1
            self._deadline_ns = None
        self._ticks += ticks

    def _arm(self) -> None:
        """Have the runner call at the next expiration, unless one is waiting to be read."""
        if self._timer is not None or self._deadline_ns is None or self._ticks:
            return
        wait = self._deadline_ns - self._now()
        if self._is_realtime:
            wait = min(wait, _RECHECK_NS)
        runner = self._kernel.runner
        self._timer = runner.call_at(runner.monotonic_ns() + max(wait, 0), self._expire)

    def _expire(self) -> None:
        """The runner's timer has fired.

        A periodic timer that nobody reads does not tick in the sentry: as on Linux the next one is armed by the read, which
        counts what has passed meanwhile.
        """
        self._timer = None
        self._count()
        if self._ticks:
            self.queue.wake(POLLIN)
        else:
            self._arm()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
