"""POSIX timers by timer_create(2), timer_settime(2) and timer_getoverrun(2)."""

from collections.abc import Callable

import pytest

from sentry.kernel import posix_timers
from sentry.kernel.posix_timers import OVERRUN_MAX, TIMERS_MAX, Notification, PosixTimer, check_event
from sentry.kernel.timers import REAL, interval_timer
from syscalls.abi.errno import EAGAIN, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.signal import NSIG, SI_TIMER, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID, SIGUSR1
from syscalls.abi.time import CLOCK_MONOTONIC, CLOCK_REALTIME
from tests.unit.syscalls.process_world import Process, World

MS = 1_000_000


@pytest.fixture
def world() -> World:
    return World("pidns")


def errno_of(call: Callable[[], object]) -> int:
    with pytest.raises(SyscallError) as caught:
        call()
    return caught.value.errno


def timer_of(process: Process, *, clock: int = CLOCK_MONOTONIC, thread: Process | None = None) -> PosixTimer:
    notification = Notification(SIGUSR1, 0x77, is_silent=False, thread=thread.task if thread else None)
    notification.timer_id = 5
    return PosixTimer(process.task.group, clock, notification)


def test_a_timer_sends_its_signal_with_number_and_value(world: World) -> None:
    timer = timer_of(world.init)
    timer.set(10 * MS, 0, is_absolute=False)
    assert timer.remaining() == (10 * MS, 0)
    world.pass_time(10 * MS - 1)
    assert world.init.context.signals == []
    world.pass_time(1)
    assert world.init.context.signals == [(SIGUSR1, False, 0x77)]
    (info,) = world.init.context.infos
    assert info is not None
    assert (info.code, info.pid, info.uid, info.value) == (SI_TIMER, 5, 0, 0x77)
    assert timer.remaining() == (0, 0)


def test_absolute_times_are_those_of_the_timers_clock(world: World) -> None:
    monotonic, wall = timer_of(world.init), timer_of(world.init, clock=CLOCK_REALTIME)
    monotonic.set(world.now_ns + 7 * MS, 0, is_absolute=True)
    wall.set(world.kernel.realtime_ns() + 9 * MS, 0, is_absolute=True)
    assert (monotonic.remaining(), wall.remaining()) == ((7 * MS, 0), (9 * MS, 0))
    monotonic.set(1, 0, is_absolute=True)  # long ago: at once
    world.pass_time(0)
    assert len(world.init.context.signals) == 1


def test_zero_disarms(world: World) -> None:
    timer = timer_of(world.init)
    timer.set(10 * MS, 3 * MS, is_absolute=False)
    timer.set(0, 3 * MS, is_absolute=False)
    assert timer.remaining()[0] == 0
    world.pass_time(50 * MS)
    assert world.init.context.signals == []
    assert world.runner.next_deadline_ns() is None


def test_expirations_while_the_signal_is_pending_are_overruns(world: World) -> None:
    timer, context = timer_of(world.init), world.init.context
    timer.set(10 * MS, 10 * MS, is_absolute=False)
    world.pass_time(10 * MS)
    context.pending = 1 << (SIGUSR1 - 1)
    for _ in range(4):
        world.pass_time(10 * MS)
    assert len(context.signals) == 1
    assert timer.delivered() == 4
    assert timer.overrun == 4
    context.pending = 0
    world.pass_time(10 * MS)
    assert len(context.signals) == 2
    assert timer.delivered() == 0


def test_another_pending_signal_is_nothing_to_it(world: World) -> None:
    timer, context = timer_of(world.init), world.init.context
    timer.set(10 * MS, 10 * MS, is_absolute=False)
    world.pass_time(10 * MS)
    context.pending = 1 << SIGUSR1 | 1 << (SIGUSR1 - 2)
    world.pass_time(10 * MS)
    assert len(context.signals) == 2


def test_a_late_sentry_owes_one_signal_and_the_rest_as_overrun(world: World) -> None:
    timer = timer_of(world.init)
    timer.set(10 * MS, 10 * MS, is_absolute=False)
    world.pass_time(45 * MS)
    assert len(world.init.context.signals) == 1
    assert timer.overrun == timer.delivered() == 3
    assert timer.remaining() == (5 * MS, 10 * MS)


def test_the_overrun_saturates(world: World) -> None:
    timer, context = timer_of(world.init), world.init.context
    timer.set(1, 1, is_absolute=False)
    world.pass_time(OVERRUN_MAX + 100)
    assert timer.overrun == OVERRUN_MAX
    context.pending = 1 << (SIGUSR1 - 1)
    world.pass_time(1000)
    assert timer.delivered() == OVERRUN_MAX


def test_setting_anew_forgets_the_overrun(world: World) -> None:
    timer = timer_of(world.init)
    timer.set(10 * MS, 10 * MS, is_absolute=False)
    world.pass_time(45 * MS)
    timer.set(10 * MS, 0, is_absolute=False)
    assert timer.overrun == 0
    world.pass_time(10 * MS)
    assert timer.delivered() == 0


def test_a_thread_gets_what_is_meant_for_it_and_nobody_when_it_is_gone(world: World) -> None:
    thread = world.init.thread()
    timer = timer_of(world.init, thread=thread)
    timer.set(10 * MS, 10 * MS, is_absolute=False)
    world.pass_time(10 * MS)
    assert thread.context.signals == [(SIGUSR1, True, 0x77)]
    thread.die()
    world.pass_time(10 * MS)
    assert len(thread.context.signals) == 1
    assert world.init.context.signals == []


def test_a_silent_timer_only_runs(world: World) -> None:
    timer = PosixTimer(world.init.task.group, CLOCK_MONOTONIC, check_event(world.init.task, 0, 0, SIGEV_NONE, 0))
    timer.set(10 * MS, 10 * MS, is_absolute=False)
    world.pass_time(25 * MS)
    assert world.init.context.signals == []
    assert timer.remaining() == (5 * MS, 10 * MS)


def test_events_are_checked(world: World) -> None:
    task, thread, other = world.init.task, world.init.thread(), world.init.fork()
    for notify in (SIGEV_SIGNAL, SIGEV_THREAD):
        event = check_event(task, 9, NSIG, notify, 0)
        assert (event.signal, event.value, event.is_silent, event.thread) == (NSIG, 9, False, None)
    assert check_event(task, 0, 1, SIGEV_THREAD_ID, thread.task.tid).thread is thread.task
    assert check_event(task, 0, 0, SIGEV_NONE, 0).is_silent
    for signal in (0, NSIG + 1, -1):
        assert errno_of(lambda signal=signal: check_event(task, 0, signal, SIGEV_SIGNAL, 0)) == EINVAL  # type: ignore[misc]
    assert errno_of(lambda: check_event(task, 0, 1, 3, 0)) == EINVAL
    assert errno_of(lambda: check_event(task, 0, 1, SIGEV_THREAD_ID, other.pid)) == EINVAL  # of another process


def test_numbers_are_the_lowest_free_and_bounded(world: World) -> None:
    group = world.init.task.group
    group.timers = {number: timer_of(world.init) for number in (0, 1, 3)}
    assert posix_timers.next_id(group) == 2
    group.timers = dict.fromkeys(range(TIMERS_MAX - 1))
    assert posix_timers.next_id(group) == TIMERS_MAX - 1
    group.timers[TIMERS_MAX - 1] = None  # type: ignore[assignment]
    assert errno_of(lambda: posix_timers.next_id(group)) == EAGAIN


def test_the_interval_timer_is_no_posix_timer_and_outlives_exec(world: World) -> None:
    group = world.init.task.group
    real = interval_timer(group)
    real.arm(world.now_ns + 10 * MS, 0)
    timer = group.timers[4] = timer_of(world.init)
    timer.set(5 * MS, 0, is_absolute=False)
    assert posix_timers.find(group, 4) is timer
    for number in (REAL, 3):
        assert errno_of(lambda number=number: posix_timers.find(group, number)) == EINVAL  # type: ignore[misc]
    posix_timers.delete_all(group)
    assert group.timers == {REAL: real}
    assert world.runner.next_deadline_ns() == world.now_ns + 10 * MS
