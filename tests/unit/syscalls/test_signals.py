"""kill and its kin: who is reached, who may; and the timers that end in signals."""

import pytest

from syscalls.abi.capability import CAP_WAKE_ALARM
from syscalls.abi.errno import EFAULT, EINVAL, EOPNOTSUPP, EPERM, ESRCH
from syscalls.abi.nr_x86_64 import NUMBERS
from syscalls.abi.signal import (
    SI_QUEUE,
    SI_TKILL,
    SI_USER,
    SIGALRM,
    SIGCONT,
    SIGEV_NONE,
    SIGEV_THREAD_ID,
    SIGEVENT,
    SIGINFO,
    SIGTERM,
    SIGUSR1,
)
from syscalls.abi.time import CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME, CLOCK_REALTIME_ALARM, ITIMERSPEC, ITIMERVAL
from tests.unit.syscalls.process_world import BUFFER, Process, World

NOWHERE = 0x3FFFFFF0
SECOND = 1_000_000_000


def test_kill_lets_the_host_send(world: World) -> None:
    child = world.init.fork()
    assert world.init.call("kill", child.pid, SIGTERM) == "sent"
    assert world.init.context.replies[-1] == ("proceed",)
    assert world.init.call("kill", 1, SIGTERM) == "proceed"


def test_kill_without_a_pid_namespace_is_sent_by_the_sentry() -> None:
    world = World()
    child = world.init.fork()
    assert world.init.call("kill", child.pid, SIGTERM) == 0
    assert child.context.signals == [(SIGTERM, False, None)]


def test_a_thread_of_another_process_without_a_pid_namespace_is_sent_to_by_the_sentry() -> None:
    world = World()
    child = world.init.fork()
    assert world.init.call("tgkill", child.pid, child.pid, SIGUSR1) == 0
    assert child.context.signals == [(SIGUSR1, True, None)]


def test_kill_finds_by_thread_and_group(world: World) -> None:
    child = world.init.fork()
    thread = child.thread()
    assert world.init.call("kill", thread.task.tid, SIGTERM) == "sent"
    world.init.call("setpgid", child.pid, 0)
    assert world.init.call("kill", -child.pid, SIGTERM) == "sent"
    assert world.init.call("kill", -NOWHERE, SIGTERM) == -ESRCH
    assert world.init.call("kill", NOWHERE, SIGTERM) == -ESRCH
    assert world.init.call("kill", child.pid, 65) == -EINVAL
    assert world.init.call("kill", child.pid, 0) == 0


def test_kill_everybody_spares_init_and_oneself(world: World) -> None:
    one, two = world.init.fork(), world.init.fork()
    assert one.call("kill", -1, SIGTERM) == 0
    assert two.context.signals == [(SIGTERM, False, None)]
    assert not one.context.signals
    assert not world.init.context.signals


def test_permission_by_ids(world: World) -> None:
    one, other = world.init.fork().become(1000), world.init.fork().become(1001)
    assert one.call("kill", other.pid, SIGTERM) == -EPERM
    assert one.call("kill", other.pid, 0) == -EPERM
    assert one.call("kill", other.pid, 99) == -EINVAL
    assert one.call("kill", other.pid, SIGCONT) == "sent"
    assert one.call("tgkill", other.pid, other.pid, SIGUSR1) == -EPERM
    other.call("setsid")
    assert one.call("kill", other.pid, SIGCONT) == -EPERM


def test_a_group_that_is_only_partly_allowed(world: World) -> None:
    leader = world.init.fork()
    leader.call("setpgid", 0, 0)
    friend = leader.fork().become(1000)
    stranger = leader.become(1001)
    caller = world.init.fork().become(1000)
    assert caller.call("kill", -leader.pid, SIGTERM) == 0
    assert friend.context.signals == [(SIGTERM, False, None)]
    assert not stranger.context.signals


def test_tgkill(world: World) -> None:
    thread = world.init.thread()
    child = world.init.fork()
    assert thread.call("tgkill", 1, thread.task.tid, SIGUSR1) == "proceed"
    assert world.init.call("tgkill", 1, thread.task.tid, SIGUSR1) == "sent"
    assert world.init.call("tgkill", 1, child.pid, SIGUSR1) == -ESRCH
    assert world.init.call("tgkill", 0, 1, SIGUSR1) == -EINVAL
    assert world.init.call("tkill", 0, SIGUSR1) == -EINVAL
    assert world.init.call("tkill", NOWHERE, SIGUSR1) == -ESRCH
    assert world.init.call("tkill", thread.task.tid, 0) == 0


@pytest.mark.parametrize(("code", "result"), [(SI_USER, -EPERM), (SI_TKILL, -EPERM), (SI_QUEUE, "sent")])
def test_nobody_forges_the_kernels_siginfo(world: World, code: int, result: object) -> None:
    child = world.init.fork()
    info = world.init.poke(SIGINFO.pack(SIGUSR1, 0, code, 0, 0, 77))
    assert world.init.call("rt_sigqueueinfo", child.pid, SIGUSR1, info) == result
    assert world.init.call("rt_tgsigqueueinfo", child.pid, child.pid, SIGUSR1, info) == result
    assert world.init.call("rt_sigqueueinfo", child.pid, SIGUSR1, 8) == -EFAULT


def test_values_are_queued_by_the_sentry_where_there_is_no_pid_namespace() -> None:
    world = World()
    child = world.init.fork()
    info = world.init.poke(SIGINFO.pack(SIGUSR1, 0, SI_QUEUE, 0, 0, 77))
    assert world.init.call("rt_sigqueueinfo", child.pid, SIGUSR1, info) == 0
    assert world.init.call("rt_tgsigqueueinfo", child.pid, child.pid, SIGUSR1, info) == 0
    assert child.context.signals == [(SIGUSR1, False, 77), (SIGUSR1, True, 77)]


def test_a_deaf_thread_is_kicked_after_the_host_has_sent(world: World) -> None:
    child = world.init.fork()
    child.fork()
    assert child.call("wait4", -1, 0, 0, 0) == "waits"
    child.context.caught = 1 << (SIGUSR1 - 1)
    assert world.init.call("kill", child.pid, SIGUSR1) == "sent"
    world.run()
    assert child.last == "kick"


def test_alarm_fires_once_and_tells_what_was_left(world: World) -> None:
    process = world.init
    assert process.call("alarm", 10) == 0
    world.pass_time(3 * SECOND + SECOND // 2)
    assert process.call("alarm", 5) == 7
    world.pass_time(5 * SECOND)
    assert process.context.signals == [(SIGALRM, False, None)]
    assert process.call("alarm", 0) == 0


def test_alarm_never_tells_zero_while_armed(world: World) -> None:
    world.init.call("alarm", 1)
    world.pass_time(SECOND - 1000)
    assert world.init.call("alarm", 0) == 1


def test_interval_timer_repeats(world: World) -> None:
    process = world.init
    assert process.call("setitimer", 0, process.poke(ITIMERVAL.pack(0, 500_000, 1, 0)), 0) == 0
    for _ in range(3):
        world.pass_time(SECOND)
    assert len(process.context.signals) == 3
    assert process.call("getitimer", 0, BUFFER + 64) == 0
    interval_s, interval_us, value_s, value_us = ITIMERVAL.unpack(process.peek(32, 64))
    assert (interval_s, interval_us, value_s) == (0, 500_000, 0)
    assert 0 < value_us <= 500_000
    assert not process.fork().task.group.timers


def test_interval_timer_refuses(world: World) -> None:
    process = world.init
    assert process.call("setitimer", 0, process.poke(ITIMERVAL.pack(0, 0, 0, 1_000_000)), 0) == -EINVAL
    assert process.call("setitimer", 0, process.poke(ITIMERVAL.pack(0, 0, -1, 0)), 0) == -EINVAL
    assert process.call("setitimer", 9, process.poke(ITIMERVAL.pack(0, 0, 1, 0)), 0) == -EINVAL
    assert process.call("setitimer", 0, 8, 0) == -EFAULT
    assert process.call("getitimer", 9, BUFFER) == -EINVAL
    assert process.call("setitimer", 2, BUFFER, 0) == "proceed"


def test_a_dead_process_has_no_timers(world: World) -> None:
    child = world.init.fork()
    child.call("alarm", 1)
    child.die()
    world.pass_time(2 * SECOND)
    assert not child.context.signals


def make_timer(process: Process, clock: int = CLOCK_MONOTONIC, event: bytes = b"") -> int:
    sevp = process.poke(event, 512) if event else 0
    assert process.call("timer_create", clock, sevp, BUFFER + 1024) == 0
    return process.number(1024)


def settime(process: Process, timer: int, value: int, interval: int = 0, flags: int = 0) -> object:
    spec = ITIMERSPEC.pack(*divmod(interval, SECOND), *divmod(value, SECOND))
    return process.call("timer_settime", timer, flags, process.poke(spec), BUFFER + 128)


def test_posix_timer_sends_its_number(world: World) -> None:
    timer = make_timer(world.init)
    second = make_timer(world.init)
    assert (timer, second) == (0, 1)
    assert settime(world.init, second, SECOND) == 0
    world.pass_time(SECOND)
    assert world.init.context.signals == [(SIGALRM, False, 1)]


def test_posix_timer_counts_overruns(world: World) -> None:
    process = world.init
    timer = make_timer(process)
    settime(process, timer, SECOND, SECOND)
    world.pass_time(SECOND)
    assert process.call("timer_getoverrun", timer) == 0
    process.context.pending = 1 << (SIGALRM - 1)
    world.pass_time(2 * SECOND)
    assert len(process.context.signals) == 1
    assert world.dispatcher.timer_overrun(process.context, timer) == 2
    assert world.dispatcher.timer_overrun(process.context, 77) is None
    assert process.call("timer_getoverrun", timer) == 2
    world.pass_time(SECOND)
    assert len(process.context.signals) == 2
    assert world.dispatcher.timer_overrun(process.context, timer) == 0


def test_posix_timer_absolute_and_remaining(world: World) -> None:
    process = world.init
    timer = make_timer(process, CLOCK_REALTIME)
    settime(process, timer, world.kernel.realtime_ns() + 5 * SECOND, flags=1)
    world.pass_time(2 * SECOND)
    assert process.call("timer_gettime", timer, BUFFER + 256) == 0
    assert ITIMERSPEC.unpack(process.peek(32, 256))[2] == 3
    world.pass_time(3 * SECOND)
    assert len(process.context.signals) == 1
    assert process.call("timer_delete", timer) == 0
    assert process.call("timer_gettime", timer, BUFFER) == -EINVAL


def test_posix_timer_to_a_thread(world: World) -> None:
    thread = world.init.thread()
    timer = make_timer(world.init, event=SIGEVENT.pack(0xABCDEF, SIGUSR1, SIGEV_THREAD_ID, thread.task.tid))
    settime(world.init, timer, SECOND)
    world.pass_time(SECOND)
    assert thread.context.signals == [(SIGUSR1, True, 0xABCDEF)]


def test_posix_timer_can_be_silent(world: World) -> None:
    timer = make_timer(world.init, event=SIGEVENT.pack(0, 0, SIGEV_NONE, 0))
    settime(world.init, timer, SECOND)
    world.pass_time(SECOND)
    assert not world.init.context.signals


def test_posix_timer_refuses(world: World) -> None:
    process = world.init.fork().become(1000)

    def create(clock: int, event: bytes) -> object:
        return process.call("timer_create", clock, process.poke(event) if event else 0, BUFFER + 64)

    assert create(CLOCK_MONOTONIC_RAW, b"") == -EOPNOTSUPP
    assert create(77, b"") == -EINVAL
    assert create(CLOCK_REALTIME_ALARM, b"") == -EPERM
    assert create(CLOCK_MONOTONIC, SIGEVENT.pack(0, 65, 0, 0)) == -EINVAL
    assert create(CLOCK_MONOTONIC, SIGEVENT.pack(0, 0, 0, 0)) == -EINVAL
    assert create(CLOCK_MONOTONIC, SIGEVENT.pack(0, 10, 99, 0)) == -EINVAL
    assert create(CLOCK_MONOTONIC, SIGEVENT.pack(0, 10, SIGEV_THREAD_ID, 1)) == -EINVAL
    assert process.call("timer_create", CLOCK_MONOTONIC, 0, 8) == -EFAULT
    assert process.call("timer_settime", 0, 0, BUFFER, 0) == -EINVAL
    timer = make_timer(process)
    assert process.call("timer_settime", timer, 0, process.poke(ITIMERSPEC.pack(0, SECOND, 0, 0)), 0) == -EINVAL
    assert process.call("timer_settime", timer, 0, 0, 0) == -EINVAL
    assert world.init.task.credentials.has(CAP_WAKE_ALARM)


def trap(world: World, process: Process, name: str, *arguments: int) -> int | None:
    padded = [*arguments, *[0] * (6 - len(arguments))]
    return world.dispatcher.syscall(process.context, NUMBERS[name], *padded)


def kill_and_fall_asleep(world: World) -> tuple[Process, Process]:
    """One process has been allowed to kill another, which goes to sleep before that has run."""
    sender, target = world.init, world.init.fork()
    fd = target.call("eventfd2", 0, 0)
    assert trap(world, sender, "kill", target.pid, SIGUSR1) is None
    assert sender.context.replies == [("proceed",)]
    assert trap(world, target, "read", fd, BUFFER, 8) is None
    assert target.task.fiber.is_busy
    return sender, target


def test_a_thread_that_falls_asleep_while_a_kill_is_under_way(world: World) -> None:
    sender, target = kill_and_fall_asleep(world)
    stop = sender.context.stop
    assert stop is not None
    target.context.caught = target.context.pending = 1 << (SIGUSR1 - 1)  # now the kill has run
    stop()
    world.run()
    assert target.last == "kick"
    assert not target.task.group.in_flight


def test_a_sender_that_goes_to_sleep_has_sent(world: World) -> None:
    sender, target = kill_and_fall_asleep(world)
    target.context.caught = target.context.pending = 1 << (SIGUSR1 - 1)
    assert trap(world, sender, "read", sender.call("eventfd2", 0, 0), BUFFER, 8) is None
    world.run()
    assert target.last == "kick"


def test_a_sender_that_has_called_again_is_done(world: World) -> None:
    sender, target = world.init, world.init.fork()
    fd = target.call("eventfd2", 0, 0)
    assert trap(world, sender, "kill", target.pid, SIGUSR1) is None
    assert trap(world, sender, "getppid") == 0
    assert trap(world, target, "read", fd, BUFFER, 8) is None
    assert sender.context.stop is None
