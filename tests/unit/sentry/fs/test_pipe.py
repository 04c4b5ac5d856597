"""Pipes: wake-ups, partial effects, signals; and, by random sequences, equality with a pipe of this machine's kernel."""

import fcntl
import os
import struct
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from guest_world import BASE, MEMORY_SIZE, Guest, World

from sentry.sched.wait import Restart
from syscalls.abi.errno import EAGAIN, EBADF, EBUSY, EFAULT, EINVAL, EMFILE, EPIPE
from syscalls.abi.fcntl import F_GETPIPE_SZ, F_SETPIPE_SZ, O_CLOEXEC, O_DIRECT, O_NONBLOCK
from syscalls.abi.poll import POLLFD
from syscalls.abi.signal import SIGPIPE


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def guest(world: World) -> Guest:
    return world.guest()


def test_what_is_written_is_read(guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    assert guest.put(writer, b"hello") == 5
    assert guest.get(reader, 3) == b"hel"
    assert guest.get(reader, 10) == b"lo"


def test_a_reader_sleeps_until_a_write(world: World, guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    addr = guest.alloc(8)
    guest.begin("read", reader, addr, 8)
    assert guest.is_waiting
    peer = world.guest()
    peer.task.fds = guest.task.fds
    peer.put(writer, b"x")
    world.run()
    assert guest.outcomes == [1]
    assert guest.peek(addr, 1) == b"x"


def test_the_last_writer_gone_is_the_end_of_file(world: World, guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    guest.begin("read", reader, guest.alloc(8), 8)
    guest.task.fds.close(writer)
    world.run()
    assert guest.outcomes == [0]


def test_no_reader_is_epipe_and_sigpipe(world: World, guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    guest.close(reader)
    assert guest.put(writer, b"x") == -EPIPE
    assert world.signals.sent == [(guest.task, SIGPIPE)]


def test_a_write_of_nothing_to_a_broken_pipe_is_no_error(guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    guest.close(reader)
    assert guest.put(writer, b"") == 0


def test_a_large_blocking_write_goes_on_until_all_is_taken(world: World, guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    size = 200_000
    guest.begin("write", writer, BASE, size)
    peer = world.guest()
    peer.task.fds = guest.task.fds
    got = 0
    while guest.is_waiting:
        got += len(peer.get(reader, 50_000))
        world.run()
    assert guest.outcomes == [size]
    assert got + len(peer.get(reader, size)) == size


def test_an_interrupted_write_returns_what_was_taken(world: World, guest: Guest) -> None:
    _, writer = guest.pipe_pair()
    guest.begin("write", writer, BASE, 100_000)
    guest.task.fiber.interrupt()
    world.run()
    assert guest.outcomes == [65536]


def test_an_interrupted_read_restarts(world: World, guest: Guest) -> None:
    reader, _ = guest.pipe_pair()
    guest.begin("read", reader, BASE, 1)
    guest.task.fiber.interrupt()
    world.run()
    assert guest.outcomes == [Restart.SYS]


def test_a_fault_of_the_reader_loses_nothing(guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    guest.put(writer, b"abcdef")
    assert guest.read(reader, 0x10, 6) == -EFAULT
    assert guest.read(reader, BASE + MEMORY_SIZE - 2, 6) == 2
    assert guest.get(reader, 9) == b"cdef"


def test_a_closed_descriptor_keeps_its_pipe_end_while_a_call_waits(world: World, guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    guest.begin("read", reader, BASE, 1)
    peer = world.guest()
    peer.task.fds = guest.task.fds
    assert peer.close(reader) == 0
    assert peer.put(writer, b"x") == 1
    world.run()
    assert guest.outcomes == [1]
    assert peer.put(writer, b"x") == -EPIPE


def test_packets_stay_apart_and_lose_their_rest(guest: Guest) -> None:
    reader, writer = guest.pipe_pair(O_DIRECT | O_NONBLOCK)
    guest.put(writer, b"first")
    guest.put(writer, b"second")
    assert guest.get(reader, 3) == b"fir"
    assert guest.get(reader, 100) == b"second"
    assert guest.get(reader, 100) == -EAGAIN


def test_descriptors_are_not_leaked_by_errors(guest: Guest) -> None:
    assert guest.pipe2(0x10, 0) == -EFAULT
    assert guest.pipe2(guest.alloc(8), 0x40000000) == -EINVAL
    guest.task.fds.limit = 1
    assert guest.pipe2(guest.alloc(8), O_CLOEXEC) == -EMFILE
    assert len(guest.task.fds) == 0
    assert guest.task.kernel.limits.bytes_used == 0


def test_ends_are_one_way(guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    assert guest.put(reader, b"x") == -EBADF
    assert guest.get(writer, 1) == -EBADF


def test_memory_is_given_back(guest: Guest) -> None:
    reader, writer = guest.pipe_pair(O_NONBLOCK)
    assert guest.write(writer, BASE, 100_000) == 65536
    assert guest.task.kernel.limits.bytes_used == 65536
    guest.close(reader)
    guest.close(writer)
    assert guest.task.kernel.limits.bytes_used == 0


def test_resizing(guest: Guest) -> None:
    _, writer = guest.pipe_pair(O_NONBLOCK)
    assert guest.fcntl(writer, F_SETPIPE_SZ, 5000) == 8192
    assert guest.write(writer, BASE, 100_000) == 8192
    assert guest.fcntl(writer, F_SETPIPE_SZ, 4096) == -EBUSY
    assert guest.fcntl(writer, F_GETPIPE_SZ, 0) == 8192


class PipeMachine(RuleBasedStateMachine):
    """The same calls on a pipe of the sentry and on one of the host."""

    def __init__(self) -> None:
        super().__init__()
        self.guest = World().guest()
        self.ends = self.guest.pipe_pair(O_NONBLOCK)
        self.host = os.pipe2(os.O_NONBLOCK)
        self.step = 0

    def teardown(self) -> None:
        for fd in self.host:
            os.close(fd)

    @rule(size=st.one_of(st.integers(0, 20), st.integers(4090, 4100), st.integers(0, 70_000)))
    def write(self, size: int) -> None:
        self.step += 1
        data = bytes([self.step & 0xFF]) * size
        self.guest.ram.data[:size] = data
        assert self.guest.write(self.ends[1], BASE, size) == attempt(lambda: os.write(self.host[1], data))

    @rule(size=st.one_of(st.integers(0, 20), st.integers(4090, 4100), st.integers(0, 70_000)))
    def read(self, size: int) -> None:
        ours = self.guest.read(self.ends[0], BASE, size)
        theirs = attempt(lambda: os.read(self.host[0], size))
        assert (bytes(self.guest.ram.data[:ours]) if ours >= 0 else ours) == theirs

    @rule(pages=st.sampled_from([1, 2, 4, 16, 32]))
    def resize(self, pages: int) -> None:
        size = pages * 4096
        theirs = attempt(lambda: fcntl.fcntl(self.host[1], F_SETPIPE_SZ, size))
        assert self.guest.fcntl(self.ends[1], F_SETPIPE_SZ, size) == theirs

    @invariant()
    def same_readiness(self) -> None:
        import select

        poller = select.poll()
        for fd in self.host:
            poller.register(fd, select.POLLIN | select.POLLOUT)
        theirs = dict(poller.poll(0))
        addr = self.guest._top
        for ours, host in zip(self.ends, self.host, strict=True):
            self.guest.ram.write(addr, POLLFD.pack(ours, select.POLLIN | select.POLLOUT, 0))
            self.guest.poll(addr, 1, 0)
            assert POLLFD.unpack(self.guest.peek(addr, 8))[2] == theirs.get(host, 0)
        pending = struct.unpack("i", fcntl.ioctl(self.host[0], termios.FIONREAD, b"\0" * 4))[0]
        assert self.guest.ioctl(self.ends[0], termios.FIONREAD, addr) == 0
        assert self.guest.words(addr, 1) == [pending]


def attempt(act: Any) -> Any:
    try:
        return act()
    except OSError as error:
        return -(error.errno or 0)


PipeMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPipeAgainstHost = PipeMachine.TestCase
