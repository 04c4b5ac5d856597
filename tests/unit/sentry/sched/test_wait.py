"""Fibers, wait queues and timers with a clock that the test moves."""

import pytest

from sentry.sched.fiber import Fiber
from sentry.sched.runner import Runner
from sentry.sched.wait import Interrupted, Latch, Restart, TimedOut, wait_until
from sentry.sched.waitqueue import WaitQueue


class Bench:
    """A runner, a clock and one fiber whose outcome is recorded."""

    def __init__(self) -> None:
        self.now = 0
        self.runner = Runner(lambda: self.now)
        self.results: list[object] = []
        self.fiber = Fiber(self.runner, self.results.append, self.results.append)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_result_that_is_there_needs_no_sleep(bench: Bench) -> None:
    bench.fiber.start(wait_until(bench.fiber, lambda: 7, []))
    assert bench.results == [7]


def test_a_wake_up_tries_again(bench: Bench) -> None:
    queue = WaitQueue()
    box: list[int] = []
    bench.fiber.start(wait_until(bench.fiber, lambda: box.pop() if box else None, [queue]))
    queue.wake()
    bench.runner.run_ready()
    assert bench.results == []
    box.append(3)
    queue.wake()
    bench.runner.run_ready()
    assert bench.results == [3]
    assert not queue


def test_the_deadline_ends_the_sleep(bench: Bench) -> None:
    queue = WaitQueue()
    bench.fiber.start(wait_until(bench.fiber, lambda: None, [queue], deadline_ns=50))
    bench.now = 49
    bench.runner.run_ready()
    assert bench.results == []
    assert bench.runner.next_deadline_ns() == 50
    bench.now = 50
    bench.runner.run_ready()
    assert isinstance(bench.results[0], TimedOut)
    assert not queue


def test_an_interrupt_carries_the_restart_kind(bench: Bench) -> None:
    queue = WaitQueue()
    bench.fiber.start(wait_until(bench.fiber, lambda: None, [queue], restart=Restart.NOHAND))
    bench.fiber.interrupt()
    bench.runner.run_ready()
    (error,) = bench.results
    assert isinstance(error, Interrupted)
    assert error.restart is Restart.NOHAND


def test_an_interrupt_during_an_uninterruptible_wait_is_not_lost(bench: Bench) -> None:
    latch = Latch()
    queue = WaitQueue()

    async def call() -> None:
        await latch.wait(bench.fiber)
        await wait_until(bench.fiber, lambda: None, [queue])

    bench.fiber.start(call())
    bench.fiber.interrupt()
    bench.runner.run_ready()
    assert bench.results == []
    latch.fire()
    bench.runner.run_ready()
    assert isinstance(bench.results[0], Interrupted)


def test_a_result_wins_over_an_interrupt(bench: Bench) -> None:
    queue = WaitQueue()
    box: list[int] = []
    bench.fiber.start(wait_until(bench.fiber, lambda: box.pop() if box else None, [queue]))
    bench.fiber.interrupt()
    box.append(1)
    bench.runner.run_ready()
    assert bench.results == [1]


def test_a_cancelled_fiber_leaves_its_queues(bench: Bench) -> None:
    queue = WaitQueue()
    bench.fiber.start(wait_until(bench.fiber, lambda: None, [queue]))
    assert queue
    bench.fiber.cancel()
    assert not queue
    assert not bench.fiber.is_busy


def test_only_one_exclusive_waiter_wakes() -> None:
    queue = WaitQueue()
    woken: list[str] = []
    queue.enqueue(lambda _: woken.append("first"), is_exclusive=True)
    queue.enqueue(lambda _: woken.append("second"), is_exclusive=True)
    queue.enqueue(lambda _: woken.append("all"))
    queue.enqueue(lambda _: woken.append("other event"), mask=4)
    queue.wake(1)
    assert sorted(woken) == ["all", "first"]


def test_cancelled_timers_do_not_pile_up() -> None:
    runner = Runner(lambda: 0)
    for _ in range(10_000):
        runner.call_at(1, lambda: None).cancel()
    assert runner.next_deadline_ns() is None
    assert len(runner._heap) < 200
