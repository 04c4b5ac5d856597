"""signalfd(2): what is pending in the host's queues is taken by the reader's own thread."""

import pytest

from sentry.platform.interface import SignalInfo
from syscalls.abi.errno import EAGAIN, EBADF, EFAULT, EINVAL
from syscalls.abi.signal import (
    CLD_EXITED,
    POLL_IN,
    SI_KERNEL,
    SI_QUEUE,
    SI_TIMER,
    SI_USER,
    SIGALRM,
    SIGCHLD,
    SIGIO,
    SIGNALFD_SIGINFO,
    SIGTERM,
    SIGUSR1,
)
from tests.unit.syscalls.process_world import BUFFER, Process, World

REALTIME = 40


@pytest.fixture
def world() -> World:
    return World("pidns")


def open_signalfd(process: Process, *signals: int, fd: int = -1, flags: int = 0o4000) -> int:
    mask = sum(1 << (signal - 1) for signal in signals)
    process.context.blocked |= mask
    return process.call("signalfd4", fd, process.poke(mask.to_bytes(8, "little"), 2048), 8, flags)


def queue(process: Process, signal: int, code: int, rest: bytes = b"") -> None:
    head = b"".join(value.to_bytes(4, "little", signed=True) for value in (signal, 0, code, 0))
    process.context.host_queue.append((signal, (head + rest).ljust(128, b"\0")))
    process.context.pending |= 1 << (signal - 1)


def word(*values: int) -> bytes:
    return b"".join((value & 0xFFFFFFFF).to_bytes(4, "little") for value in values)


def read(process: Process, fd: int, length: int = 128) -> list[tuple[int, ...]]:
    count = process.call("read", fd, BUFFER + 4096, length)
    assert count == -EAGAIN or count % 128 == 0
    return list(SIGNALFD_SIGINFO.iter_unpack(process.peek(count, 4096))) if count > 0 else []


def test_pending_signals_are_read_and_gone(world: World) -> None:
    process = world.init
    fd = open_signalfd(process, SIGUSR1, SIGTERM)
    assert read(process, fd) == []
    queue(process, SIGTERM, SI_USER, word(7, 5))
    queue(process, SIGUSR1, SI_USER, word(8, 6))
    assert process.task.fds.get(fd).readiness()
    assert [(record[0], record[3], record[4]) for record in read(process, fd, 1000)] == [(SIGUSR1, 8, 6), (SIGTERM, 7, 5)]
    assert not process.task.fds.get(fd).readiness()


def test_records_of_every_kind(world: World) -> None:
    process = world.init
    fd = open_signalfd(process, SIGALRM, SIGCHLD, SIGIO, REALTIME)
    queue(process, SIGALRM, SI_TIMER, word(3, 2, -5, 9))
    queue(process, SIGCHLD, CLD_EXITED, word(11, 12, 13, 0, 14, 0, 15, 0))
    queue(process, SIGIO, POLL_IN, word(0x41, 0, 9))
    queue(process, REALTIME, SI_QUEUE, word(1, 0, 77, 0))
    alarm, child, poll, queued = read(process, fd, 1024)
    assert (alarm[6], alarm[8], alarm[11]) == (3, 2, -5)
    assert (child[3], child[4], child[10], child[13], child[14]) == (11, 12, 13, 14, 15)
    assert (poll[5], poll[7]) == (9, 0x41)
    assert (queued[3], queued[11], queued[12]) == (1, 77, 77)


def test_a_reader_sleeps_until_a_signal_has_been_sent(world: World) -> None:
    process, other = world.init, world.init.fork()
    fd = open_signalfd(process, SIGUSR1, flags=0)
    assert process.call("read", fd, BUFFER + 4096, 128) == "waits"
    world.kernel.signals.send_group(other.task.group, SIGTERM)
    world.run()
    assert process.task.fiber.is_busy
    queue(process, SIGUSR1, SI_KERNEL)
    world.kernel.signals.send_group(process.task.group, SIGUSR1)
    world.run()
    assert process.last == 128


def test_what_the_sentry_sends_says_from_whom(world: World) -> None:
    process = world.init
    child = process.fork().become(1000)
    world.kernel.signals.send_group(process.task.group, SIGALRM)
    world.kernel.signals.send_task(child.task, SIGUSR1)
    assert process.context.infos == [SignalInfo(SI_KERNEL)]
    assert child.context.infos == [SignalInfo(SI_USER, child.pid, 1000)]


def test_signalfd_refuses(world: World) -> None:
    call = world.init.call
    assert call("signalfd4", -1, BUFFER, 4, 0) == -EINVAL
    assert call("signalfd4", -1, 8, 8, 0) == -EFAULT
    assert call("signalfd4", -1, BUFFER, 8, 0x1234) == -EINVAL
    assert call("signalfd", 77, BUFFER, 8) == -EBADF
    assert call("signalfd", call("pidfd_open", 1, 0), BUFFER, 8) == -EINVAL
    fd = open_signalfd(world.init, SIGUSR1)
    assert open_signalfd(world.init, SIGTERM, fd=fd) == fd
    assert call("read", fd, BUFFER + 4096, 127) == -EINVAL


def test_the_read_of_a_killed_thread_ends(world: World) -> None:
    """Its pending signals can be seen but not taken; a read that tried again would never end."""
    process = world.init
    fd = open_signalfd(process, SIGUSR1, flags=0)
    queue(process, SIGUSR1, SI_USER, word(8, 6))
    process.context.is_gone = True
    assert process.call("read", fd, BUFFER + 4096, 128) == -EFAULT
