"""signalfd: blocked signals are held for it and read as records."""

import pytest

from sentry.mm.usermem import BytesSink
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import EBADF, EFAULT, EINVAL
from syscalls.abi.signal import (
    SI_KERNEL,
    SI_QUEUE,
    SI_TKILL,
    SI_USER,
    SIGCHLD,
    SIGINFO,
    SIGINT,
    SIGNALFD_SIGINFO,
    SIGTERM,
    SIGUSR1,
)
from tests.unit.syscalls.process_world import BUFFER, Process, World

REALTIME = 40


def mask_of(*signals: int) -> int:
    return sum(1 << (signal - 1) for signal in signals)


def open_signalfd(process: Process, *signals: int, fd: int = -1) -> int:
    mask = mask_of(*signals)
    process.context.blocked |= mask
    return process.call("signalfd4", fd, process.poke(mask.to_bytes(8, "little"), 2048), 8, 0o4000)


def read(process: Process, fd: int, length: int = 128) -> list[tuple[int, ...]]:
    sink = BytesSink(length)
    if process.task.fds.get(fd).try_read(sink, 0) is None:
        return []
    return list(SIGNALFD_SIGINFO.iter_unpack(bytes(sink.data)))


def test_a_blocked_signal_is_held_and_read(world: World) -> None:
    child = world.init.fork()
    fd = open_signalfd(child, SIGUSR1)
    file: FileDescription = child.task.fds.get(fd)
    woken: list[int] = []
    file.queue.enqueue(woken.append)
    assert not file.readiness()
    assert read(child, fd) == []
    assert world.init.call("kill", child.pid, SIGUSR1) == 0
    assert woken
    assert file.readiness()
    assert not child.context.signals
    ((signo, _, code, pid, uid, *_),) = read(child, fd)
    assert (signo, code, pid, uid) == (SIGUSR1, SI_USER, 1, 0)
    assert not file.readiness()


def test_what_is_not_blocked_or_not_asked_for_goes_on(world: World) -> None:
    child = world.init.fork()
    open_signalfd(child, SIGUSR1)
    assert world.init.call("kill", child.pid, SIGTERM) == "sent"
    child.context.blocked = 0
    assert world.init.call("kill", child.pid, SIGUSR1) == "sent"


def test_standard_signals_come_once_and_realtime_ones_in_order(world: World) -> None:
    process = world.init
    fd = open_signalfd(process, SIGUSR1, SIGTERM, REALTIME)
    info = lambda value: process.poke(SIGINFO.pack(REALTIME, 0, SI_QUEUE, 0, 0, value), 1024)  # noqa: E731
    process.call("rt_sigqueueinfo", 1, REALTIME, info(7))
    process.call("rt_sigqueueinfo", 1, REALTIME, info(8))
    for signal in (SIGTERM, SIGUSR1, SIGTERM):
        assert process.call("tgkill", 1, 1, signal) == 0
    records = read(process, fd, 128 * 10 + 5)
    assert [(record[0], record[2], record[11]) for record in records] == [
        (SIGUSR1, SI_TKILL, 0),
        (SIGTERM, SI_TKILL, 0),
        (REALTIME, SI_QUEUE, 7),
        (REALTIME, SI_QUEUE, 8),
    ]


def test_the_kernels_own_signals_are_held_too(world: World) -> None:
    process = world.init
    fd = open_signalfd(process, SIGINT, SIGCHLD)
    world.kernel.signals.send_group(process.task.group, SIGINT)
    process.fork().die()
    assert [record[0] for record in read(process, fd, 1024)] == [SIGINT, SIGCHLD]
    world.kernel.signals.send_task(process.task, SIGINT)
    assert read(process, fd)[0][2] == SI_KERNEL


def test_the_mask_can_be_changed_and_close_gives_back(world: World) -> None:
    process = world.init
    fd = open_signalfd(process, SIGUSR1)
    process.call("tgkill", 1, 1, SIGUSR1)
    assert open_signalfd(process, SIGTERM, fd=fd) == fd
    assert not process.task.fds.get(fd).readiness()
    process.task.fds.close(fd)
    assert process.context.signals == [(SIGUSR1, False, None)]
    assert process.call("tgkill", 1, 1, SIGUSR1) == "proceed"


def test_signalfd_refuses(world: World) -> None:
    call = world.init.call
    assert call("signalfd4", -1, BUFFER, 4, 0) == -EINVAL
    assert call("signalfd4", -1, 8, 8, 0) == -EFAULT
    assert call("signalfd4", -1, BUFFER, 8, 0x1234) == -EINVAL
    assert call("signalfd", 77, BUFFER, 8) == -EBADF
    assert call("signalfd", call("pidfd_open", 1, 0), BUFFER, 8) == -EINVAL
    fd = open_signalfd(world.init, SIGUSR1)
    with pytest.raises(Exception, match="EINVAL"):
        world.init.task.fds.get(fd).try_read(BytesSink(127), 0)
