"""The timer heap: order, cancelling, and that dead timers do not pile up."""

from sentry.sched.runner import Runner


class Bench:
    """A runner with a clock that the test moves, and a log of what fired."""

    def __init__(self) -> None:
        self.now = 0
        self.fired: list[str] = []
        self.runner = Runner(lambda: self.now)

    def at(self, deadline_ns: int, name: str):
        return self.runner.call_at(deadline_ns, lambda: self.fired.append(name))

    def advance(self, now: int) -> list[str]:
        self.now = now
        self.fired.clear()
        self.runner.run_ready()
        return list(self.fired)


def test_timers_fire_in_order_when_they_are_due() -> None:
    bench = Bench()
    for deadline, name in ((30, "c"), (10, "a"), (20, "b1"), (20, "b2")):
        bench.at(deadline, name)
    assert bench.runner.next_deadline_ns() == 10
    assert bench.advance(9) == []
    assert bench.advance(20) == ["a", "b1", "b2"]
    assert bench.runner.next_deadline_ns() == 30
    assert bench.advance(1000) == ["c"]
    assert bench.runner.next_deadline_ns() is None


def test_a_cancelled_timer_never_fires_and_is_no_deadline() -> None:
    bench = Bench()
    first, _ = bench.at(10, "first"), bench.at(20, "second")
    first.cancel()
    first.cancel()
    assert bench.runner.next_deadline_ns() == 20
    assert bench.advance(20) == ["second"]


def test_a_timer_that_cancels_another_and_makes_a_new_one() -> None:
    bench = Bench()
    later = bench.at(11, "later")

    def fire() -> None:
        later.cancel()
        bench.at(5, "overdue")

    bench.runner.call_at(10, fire)
    assert bench.advance(15) == ["overdue"]


def test_dead_timers_are_swept_and_the_living_stay() -> None:
    bench = Bench()
    kept = [bench.at(1000 + number, str(number)) for number in range(10)]
    for number in range(500):
        bench.at(5000 + number, "dead").cancel()
    assert len(bench.runner._heap) < 150
    assert bench.runner.next_deadline_ns() == kept[0].deadline_ns
    assert bench.advance(2000) == [str(number) for number in range(10)]
    assert bench.advance(10_000) == []


def test_few_dead_timers_are_left_alone() -> None:
    bench = Bench()
    timers = [bench.at(100 + number, str(number)) for number in range(200)]
    for timer in timers[:60]:
        timer.cancel()
    assert len(bench.runner._heap) == 200
    assert bench.advance(500) == [str(number) for number in range(60, 200)]
