"""Timers of a process that end in a signal: alarm(2), setitimer(2), timer_create(2).

They belong to the sentry, because a thread that waits in a trapped call would not hear a timer of the host
(kernel-facts.md 2). ``group.timers`` holds them: posix timers under their ids, the interval timer under ``REAL``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from syscalls.abi.signal import SIGALRM

if TYPE_CHECKING:
    from sentry.kernel.thread_group import ThreadGroup
    from sentry.sched.runner import Runner, Timer

REAL = -1


class SignalTimer:
    """A timer on the runner's clock: fires ``expire(count)`` at its deadline and, with an interval, again and again.

    ``count`` tells how many expirations this is: more than one when the sentry was late.
    """

    __slots__ = ("_expire", "_runner", "_timer", "deadline_ns", "interval_ns")

    def __init__(self, runner: "Runner", expire: Callable[[int], None]) -> None:
        self._runner = runner
        self._expire = expire
        self._timer: Timer | None = None
        self.deadline_ns: int | None = None
        self.interval_ns = 0

    def arm(self, deadline_ns: int, interval_ns: int) -> None:
        """Fire at ``deadline_ns``, then every ``interval_ns`` unless that is 0."""
        self.cancel()
        self.deadline_ns, self.interval_ns = deadline_ns, interval_ns
        self._timer = self._runner.call_at(deadline_ns, self._fire)

    def cancel(self) -> None:
        """Disarm."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.deadline_ns = None
        self.interval_ns = 0

    def remaining(self) -> tuple[int, int]:
        """Nanoseconds to the next expiration (0 when disarmed, at least 1 when armed) and the interval."""
        if self.deadline_ns is None:
            return 0, self.interval_ns
        return max(self.deadline_ns - self._runner.monotonic_ns(), 1), self.interval_ns

    def _fire(self) -> None:
        deadline, interval = self.deadline_ns, self.interval_ns
        assert deadline is not None
        count = 1
        if interval:
            count += max(self._runner.monotonic_ns() - deadline, 0) // interval
            self.deadline_ns = deadline + count * interval
            self._timer = self._runner.call_at(self.deadline_ns, self._fire)
        else:
            self._timer = None
            self.deadline_ns = None
        self._expire(count)


def interval_timer(group: "ThreadGroup") -> SignalTimer:
    """The process's ITIMER_REAL, made on demand; alarm(2) is the same timer."""
    timer = group.timers.get(REAL)
    if timer is None:
        kernel = group.leader.kernel

        def expire(_: int) -> None:
            kernel.signals.send_group(group, SIGALRM)

        timer = group.timers[REAL] = SignalTimer(kernel.runner, expire)
    assert isinstance(timer, SignalTimer)
    return timer


def set_interval_timer(group: "ThreadGroup", value_ns: int, interval_ns: int) -> tuple[int, int]:
    """Arm (or with 0 disarm) ITIMER_REAL; returns what was left of it and its old interval."""
    timer = interval_timer(group)
    old = timer.remaining()
    if value_ns:
        timer.arm(group.leader.kernel.runner.monotonic_ns() + value_ns, interval_ns)
    else:
        timer.cancel()
    return old
