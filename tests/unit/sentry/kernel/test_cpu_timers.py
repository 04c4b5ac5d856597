"""Timers on processor time: the sentry looks at a clock that runs only while the guest does."""

import pytest

from sentry.host import clock
from sentry.kernel.cpu_timers import CpuTimer
from sentry.kernel.posix_timers import Notification
from syscalls.abi.signal import SIGVTALRM
from syscalls.abi.time import CLOCK_PROCESS_CPUTIME_ID
from tests.unit.syscalls.process_world import Process, World

MS = 1_000_000


class Processors:
    """The processor time of everybody, moved by the test; ``count`` processors."""

    def __init__(self) -> None:
        self.count = 1
        self.process: dict[int, int] = {}
        self.thread: dict[int, int] = {}

    def process_ns(self, host_pid: int) -> int:
        return self.process.get(host_pid, 0)

    def thread_ns(self, host_tid: int) -> int:
        return self.thread.get(host_tid, 0)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> Processors:
    fake = Processors()
    monkeypatch.setattr(clock, "process_cpu_ns", fake.process_ns)
    monkeypatch.setattr(clock, "thread_cpu_ns", fake.thread_ns)
    monkeypatch.setattr(clock, "processors", lambda: fake.count)
    return fake


@pytest.fixture
def world() -> World:
    return World("pidns")


def timer_of(process: Process, *, thread: Process | None = None, watched: Process | None = None) -> CpuTimer:
    notification = Notification(SIGVTALRM, 0, is_silent=False, thread=None)
    watched = watched or process
    return CpuTimer(
        process.task.group, CLOCK_PROCESS_CPUTIME_ID, notification, thread.task if thread else None, watched.task.group
    )


def signals(process: Process) -> int:
    return sum(signal == SIGVTALRM for signal, *_ in process.context.signals)


def test_it_fires_when_the_time_is_used_up_and_not_when_it_has_passed(world: World, used: Processors) -> None:
    timer = timer_of(world.init)
    used.process[1] = 500 * MS
    timer.set(20 * MS, 0, is_absolute=False)
    assert timer.remaining() == (20 * MS, 0)
    world.pass_time(3600_000 * MS)
    assert signals(world.init) == 0
    assert timer.remaining() == (20 * MS, 0)
    used.process[1] += 20 * MS - 1
    assert timer.remaining() == (1, 0)
    world.pass_time(200 * MS)
    assert signals(world.init) == 0
    used.process[1] += 1
    world.pass_time(200 * MS)
    assert signals(world.init) == 1
    assert timer.remaining() == (0, 0)
    assert world.runner.next_deadline_ns() is None


def test_an_absolute_time_is_the_clocks_own_and_may_have_passed(world: World, used: Processors) -> None:
    timer = timer_of(world.init)
    used.process[1] = 50 * MS
    timer.set(60 * MS, 0, is_absolute=True)
    assert timer.remaining() == (10 * MS, 0)
    timer.set(50 * MS, 0, is_absolute=True)
    assert signals(world.init) == 1
    assert timer.remaining() == (0, 0)


def test_an_interval_keeps_its_beat_and_counts_what_it_missed(world: World, used: Processors) -> None:
    timer = timer_of(world.init)
    timer.set(10 * MS, 4 * MS, is_absolute=False)
    used.process[1] = 19 * MS  # 10, 14 and 18 have passed
    world.pass_time(200 * MS)
    assert signals(world.init) == 1
    assert timer.delivered() == 2
    assert timer.remaining() == (3 * MS, 4 * MS)


def test_a_disarmed_timer_looks_no_more(world: World, used: Processors) -> None:
    timer = timer_of(world.init)
    timer.set(10 * MS, 4 * MS, is_absolute=False)
    timer.set(0, 0, is_absolute=False)
    assert timer.remaining() == (0, 0)
    assert world.runner.next_deadline_ns() is None
    timer.set(10 * MS, 0, is_absolute=False)
    timer.set(30 * MS, 0, is_absolute=False)
    used.process[1] = 15 * MS
    world.pass_time(200 * MS)
    assert signals(world.init) == 0
    assert timer.remaining() == (15 * MS, 0)


def next_look(world: World) -> int:
    deadline = world.runner.next_deadline_ns()
    assert deadline is not None
    return deadline - world.now_ns


@pytest.mark.parametrize(("threads", "processors", "shortest"), [(1, 4, 80), (2, 4, 40), (4, 2, 40), (4, 4, 20)])
def test_it_looks_when_the_time_could_be_used_up(
    world: World, used: Processors, threads: int, processors: int, shortest: int
) -> None:
    """A process uses as many seconds a second as it has threads and there are processors."""
    for _ in range(threads - 1):
        world.init.thread()
    used.count = processors
    timer_of(world.init).set(80 * MS, 0, is_absolute=False)
    assert next_look(world) == shortest * MS


def test_one_thread_cannot_be_faster_than_time(world: World, used: Processors) -> None:
    other = world.init.thread()
    used.count = 4
    used.thread[other.task.tid] = 7 * MS
    used.process[1] = 1000 * MS
    timer = timer_of(world.init, thread=other)
    timer.set(80 * MS, 0, is_absolute=False)
    assert next_look(world) == 80 * MS
    used.thread[other.task.tid] += 30 * MS
    assert timer.remaining() == (50 * MS, 0)


def test_it_looks_rarer_and_rarer_while_nothing_runs_and_often_when_it_does(world: World, used: Processors) -> None:
    used.process[1] = MS
    timer_of(world.init).set(1, 0, is_absolute=False)
    waits = []
    for _ in range(9):
        waits.append(next_look(world) // MS)
        world.pass_time(next_look(world))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 100, 100]


def test_time_that_moves_makes_it_look_often_again(world: World, used: Processors) -> None:
    used.count = 4
    timer = timer_of(world.init)
    timer.set(8 * MS, 0, is_absolute=False)
    for _ in range(8):
        world.pass_time(next_look(world))
    used.process[1] = 8 * MS - 1
    world.pass_time(next_look(world))
    assert next_look(world) == MS
    assert signals(world.init) == 0


@pytest.mark.parametrize("who", ["owner", "watched", "thread"])
def test_it_ends_with_its_owner_and_with_whom_it_watches(world: World, used: Processors, who: str) -> None:
    owner, watched = world.init.fork(), world.init.fork()
    thread = watched.thread()
    timer = timer_of(owner, thread=thread, watched=watched)
    used.thread[thread.task.tid] = 5 * MS
    timer.set(10 * MS, 0, is_absolute=False)
    assert timer.remaining() == (10 * MS, 0)
    if who == "thread":
        thread.die()
    else:
        {"owner": owner, "watched": watched}[who].task.group.exit_status = 0
    used.thread[thread.task.tid] = 1000 * MS
    world.pass_time(200 * MS)
    assert signals(owner) == 0
    assert timer.remaining() == (0, 0)
    assert world.runner.next_deadline_ns() is None
