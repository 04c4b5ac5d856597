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


def test_who_waits_no_more_for_a_latch_is_not_woken_by_it(bench: Bench) -> None:
    latch, queue = Latch(), WaitQueue()
    attempts: list[int] = []

    async def call() -> None:
        try:
            await latch.wait(bench.fiber, Restart.SYS)
        except Interrupted:
            bench.fiber.has_interrupt = False
        await wait_until(bench.fiber, lambda: attempts.append(1), [queue])

    bench.fiber.start(call())
    bench.fiber.interrupt()
    bench.runner.run_ready()
    tried = len(attempts)
    latch.fire()
    assert not bench.runner.ready
    bench.runner.run_ready()
    assert len(attempts) == tried


def test_a_latch_gives_its_first_result_to_all_who_wait_and_who_come_late(bench: Bench) -> None:
    latch = Latch()
    other = Fiber(bench.runner, bench.results.append, bench.results.append)
    for fiber in (bench.fiber, other):
        fiber.start(latch.wait(fiber))
    assert not latch.has_fired
    latch.fire(5)
    latch.fire(6, ValueError())
    bench.runner.run_ready()
    assert latch.has_fired
    assert bench.results == [5, 5]
    bench.fiber.start(latch.wait(bench.fiber))
    assert bench.results == [5, 5, 5]


def test_a_latch_raises_its_error_and_can_be_interrupted(bench: Bench) -> None:
    latch, error = Latch(), ValueError()
    bench.fiber.start(latch.wait(bench.fiber, Restart.NOINTR))
    bench.fiber.interrupt()
    bench.runner.run_ready()
    (interrupted,) = bench.results
    assert isinstance(interrupted, Interrupted)
    assert interrupted.restart is Restart.NOINTR
    bench.fiber.start(latch.wait(bench.fiber))
    latch.fire(error=error)
    bench.runner.run_ready()
    assert bench.results[1:] == [error]


def test_a_wake_up_between_two_sleeps_does_not_count_for_the_second(bench: Bench) -> None:
    first, second = WaitQueue(), WaitQueue()
    box: list[int] = []
    tries: list[int] = []

    async def call() -> None:
        await wait_until(bench.fiber, lambda: box.pop() if box else None, [first])
        await wait_until(bench.fiber, lambda: tries.append(1), [second])

    bench.fiber.start(call())
    box.append(1)
    first.wake()
    first.wake()
    bench.runner.run_ready()
    assert len(tries) == 2  # before and after it stood in the queue
    bench.runner.run_ready()
    assert len(tries) == 2


def test_the_deadlines_timer_goes_with_the_wait(bench: Bench) -> None:
    queue, box = WaitQueue(), [1]
    bench.fiber.start(wait_until(bench.fiber, lambda: None if len(box) == 1 else 4, [queue], deadline_ns=50))
    box.append(2)
    queue.wake()
    bench.runner.run_ready()
    assert bench.results == [4]
    assert bench.runner.next_deadline_ns() is None


def test_the_result_is_looked_for_once_more_at_the_deadline(bench: Bench) -> None:
    box: list[int] = []
    bench.fiber.start(wait_until(bench.fiber, lambda: box.pop() if box else None, [WaitQueue()], deadline_ns=50))
    box.append(3)
    bench.now = 50
    bench.runner.run_ready()
    assert bench.results == [3]


def test_a_cancelled_fiber_that_was_woken_does_not_run(bench: Bench) -> None:
    latch = Latch()
    bench.fiber.start(latch.wait(bench.fiber))
    latch.fire(1)
    bench.fiber.cancel()
    bench.runner.run_ready()
    assert bench.results == []
    assert not bench.fiber.is_parked


def test_a_call_begins_without_the_interrupt_of_the_last(bench: Bench) -> None:
    bench.fiber.interrupt()
    bench.fiber.start(wait_until(bench.fiber, lambda: None, [WaitQueue()]))
    assert bench.results == []
    assert bench.fiber.is_parked
    assert any("wait_until" in line for line in bench.fiber.stack())
    bench.fiber.cancel()


def test_the_current_fiber_is_known_while_it_runs(bench: Bench) -> None:
    inner = Fiber(bench.runner, bench.results.append, bench.results.append)
    seen: list[object] = []

    async def look() -> None:
        seen.append(bench.runner.current)

    async def outer() -> None:
        inner.start(look())
        seen.append(bench.runner.current)

    bench.fiber.start(outer())
    assert seen == [inner, bench.fiber]
    assert bench.runner.current is None
