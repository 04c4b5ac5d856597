"""Timers that end in a signal: deadlines, intervals, and how many expirations a late sentry owes."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from sentry.kernel.timers import SignalTimer, interval_timer, set_interval_timer
from syscalls.abi.signal import SIGALRM


class Armed:
    """One entry of the clock."""

    def __init__(self, deadline: int, call: Callable[[], None]) -> None:
        self.deadline, self.call, self.is_cancelled = deadline, call, False

    def cancel(self) -> None:
        self.is_cancelled = True


class Clock:
    """A runner whose time the test moves."""

    def __init__(self) -> None:
        self.now = 1000
        self.armed: list[Armed] = []

    def monotonic_ns(self) -> int:
        return self.now

    def call_at(self, deadline: int, call: Callable[[], None]) -> Armed:
        self.armed.append(Armed(deadline, call))
        return self.armed[-1]

    def live(self) -> list[int]:
        return [entry.deadline for entry in self.armed if not entry.is_cancelled]

    def fire(self, now: int) -> None:
        self.now = now
        entry = self.armed.pop()
        assert not entry.is_cancelled
        entry.call()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def timer_on(clock: Clock) -> tuple[SignalTimer, list[int]]:
    counts: list[int] = []
    runner: Any = clock
    return SignalTimer(runner, counts.append), counts


def test_one_shot_ends_disarmed(clock: Clock) -> None:
    timer, counts = timer_on(clock)
    assert timer.remaining() == (0, 0)
    timer.arm(1500, 0)
    assert (clock.live(), timer.remaining()) == ([1500], (500, 0))
    clock.fire(1900)
    assert (counts, clock.live(), timer.remaining(), timer.deadline_ns) == ([1], [], (0, 0), None)


@pytest.mark.parametrize(("now", "count", "following"), [(1500, 1, 1600), (1599, 1, 1600), (1600, 2, 1700), (1950, 5, 2000)])
def test_a_late_interval_counts_what_it_missed_and_keeps_its_beat(clock: Clock, now: int, count: int, following: int) -> None:
    timer, counts = timer_on(clock)
    timer.arm(1500, 100)
    clock.fire(now)
    assert (counts, clock.live(), timer.deadline_ns) == ([count], [following], following)
    assert timer.remaining() == (following - now, 100)


def test_an_interval_that_fires_early_counts_once(clock: Clock) -> None:
    timer, counts = timer_on(clock)
    timer.arm(1500, 100)
    clock.fire(1200)
    assert (counts, clock.live()) == ([1], [1600])


def test_an_armed_timer_never_says_zero(clock: Clock) -> None:
    timer, _ = timer_on(clock)
    timer.arm(1500, 7)
    clock.now = 1500
    assert timer.remaining() == (1, 7)
    clock.now = 9000
    assert timer.remaining() == (1, 7)


def test_arming_again_replaces_and_cancel_forgets_all(clock: Clock) -> None:
    timer, _ = timer_on(clock)
    timer.arm(1500, 100)
    timer.arm(1800, 50)
    assert (clock.live(), timer.remaining()) == ([1800], (800, 50))
    timer.cancel()
    assert (clock.live(), timer.remaining()) == ([], (0, 0))


def test_the_interval_timer_of_a_process_is_one_and_sends_sigalrm(clock: Clock) -> None:
    sent: list[tuple[Any, int]] = []
    kernel = SimpleNamespace(runner=clock, signals=SimpleNamespace(send_group=lambda group, signal: sent.append((group, signal))))
    group: Any = SimpleNamespace(timers={}, leader=SimpleNamespace(kernel=kernel))
    assert set_interval_timer(group, 500, 100) == (0, 0)
    assert interval_timer(group) is interval_timer(group)
    clock.fire(1700)
    assert (sent, clock.live()) == ([(group, SIGALRM)], [1800])
    assert set_interval_timer(group, 300, 0) == (100, 100)
    assert clock.live() == [2000]
    assert set_interval_timer(group, 0, 0) == (300, 0)
    assert (clock.live(), interval_timer(group).remaining()) == ([], (0, 0))
