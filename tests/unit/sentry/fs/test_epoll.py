"""Epoll: order, edges, one-shots, nesting; and equality with this machine's kernel over random sequences."""

import os
import select
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from guest_world import Guest, World

from syscalls.abi.epoll import (
    EPOLL_CTL_ADD,
    EPOLL_CTL_DEL,
    EPOLL_CTL_MOD,
    EPOLL_EVENT,
    EPOLLET,
    EPOLLEXCLUSIVE,
    EPOLLHUP,
    EPOLLIN,
    EPOLLONESHOT,
    EPOLLOUT,
)
from syscalls.abi.errno import EBADF, EEXIST, EFAULT, EINVAL, ELOOP, ENOENT
from syscalls.abi.fcntl import O_NONBLOCK
from syscalls.abi.socket import AF_UNIX, SOCK_NONBLOCK, SOCK_STREAM


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def guest(world: World) -> Guest:
    return world.guest()


def control(guest: Guest, ep: int, op: int, fd: int, events: int = 0, data: int | None = None) -> Any:
    return guest.epoll_ctl(ep, op, fd, guest.alloc(EPOLL_EVENT.pack(events, fd if data is None else data)))


def ready(guest: Guest, ep: int, maxevents: int = 8) -> list[tuple[int, int]]:
    addr = guest.alloc(maxevents * EPOLL_EVENT.size)
    count = guest.epoll_wait(ep, addr, maxevents, 0)
    guest._top = addr
    return [EPOLL_EVENT.unpack_from(guest.peek(addr, count * EPOLL_EVENT.size), at * EPOLL_EVENT.size) for at in range(count)]


def test_level_and_edge(guest: Guest) -> None:
    ep = guest.epoll_create1(0)
    level, level_in = guest.pipe_pair()
    edge, edge_in = guest.pipe_pair()
    assert control(guest, ep, EPOLL_CTL_ADD, level, EPOLLIN) == 0
    assert control(guest, ep, EPOLL_CTL_ADD, edge, EPOLLIN | EPOLLET) == 0
    guest.put(level_in, b"x")
    guest.put(edge_in, b"x")
    assert ready(guest, ep) == [(EPOLLIN, level), (EPOLLIN, edge)]
    assert ready(guest, ep) == [(EPOLLIN, level)]
    guest.put(edge_in, b"x")
    assert ready(guest, ep) == [(EPOLLIN, level), (EPOLLIN, edge)]


def test_one_shot_needs_a_new_order(guest: Guest) -> None:
    ep = guest.epoll_create1(0)
    reader, writer = guest.pipe_pair()
    control(guest, ep, EPOLL_CTL_ADD, reader, EPOLLIN | EPOLLONESHOT)
    guest.put(writer, b"x")
    assert ready(guest, ep) == [(EPOLLIN, reader)]
    guest.close(writer)
    assert ready(guest, ep) == []
    control(guest, ep, EPOLL_CTL_MOD, reader, EPOLLIN | EPOLLONESHOT, 77)
    assert ready(guest, ep) == [(EPOLLIN | EPOLLHUP, 77)]


def test_a_busy_item_starves_nobody(guest: Guest) -> None:
    ep = guest.epoll_create1(0)
    readers = []
    for _ in range(3):
        reader, writer = guest.pipe_pair()
        guest.put(writer, b"x")
        control(guest, ep, EPOLL_CTL_ADD, reader, EPOLLIN)
        readers.append(reader)
    assert [ready(guest, ep, 1)[0][1] for _ in range(4)] == [*readers, readers[0]]


def test_a_wait_ends_by_an_event_or_by_time(world: World, guest: Guest) -> None:
    ep = guest.epoll_create1(0)
    reader, writer = guest.pipe_pair()
    control(guest, ep, EPOLL_CTL_ADD, reader, EPOLLIN)
    addr = guest.alloc(64)
    guest.begin("epoll_wait", ep, addr, 4, 100)
    assert guest.is_waiting
    world.run(99_000_000)
    assert guest.is_waiting
    world.run(1_000_000)
    assert guest.outcomes.pop() == 0
    guest.begin("epoll_wait", ep, addr, 4, -1)
    peer = world.guest()
    peer.task.fds = guest.task.fds
    peer.put(writer, b"x")
    world.run()
    assert guest.outcomes == [1]


def test_the_masked_form_sleeps_in_the_host_and_ends_by_readiness(world: World, guest: Guest) -> None:
    ep = guest.epoll_create1(0)
    reader, writer = guest.pipe_pair()
    control(guest, ep, EPOLL_CTL_ADD, reader, EPOLLIN)
    mask = guest.alloc((0x1234).to_bytes(8, "little"))
    guest.begin_masked("epoll_pwait", ep, guest.alloc(64), 4, -1, mask, 8)
    assert guest.context.parked is not None
    assert guest.context.parked[0] == 0x1234
    peer = world.guest()
    peer.task.fds = guest.task.fds
    peer.put(writer, b"x")
    world.run()
    assert guest.outcomes.pop() == 1
    peer.get(reader, 1)
    guest.begin_masked("epoll_pwait", ep, guest.alloc(64), 4, -1, mask, 8)
    guest.context.parked[2](-4)
    assert not guest.is_waiting  # the thread's next call may come before anything else runs
    assert guest.outcomes.pop() is None
    guest.begin("epoll_wait", ep, guest.alloc(64), 4, -1)
    world.run()
    assert guest.is_waiting
    peer.put(writer, b"x")
    world.run()
    assert guest.outcomes == [1]


def test_a_fault_loses_no_event(guest: Guest) -> None:
    ep = guest.epoll_create1(0)
    reader, writer = guest.pipe_pair()
    control(guest, ep, EPOLL_CTL_ADD, reader, EPOLLIN | EPOLLET)
    guest.put(writer, b"x")
    assert guest.epoll_wait(ep, 0x10, 4, 0) == -EFAULT
    assert ready(guest, ep) == [(EPOLLIN, reader)]


def test_a_description_is_forgotten_with_its_last_descriptor(guest: Guest) -> None:
    ep = guest.epoll_create1(0)
    reader, writer = guest.pipe_pair()
    control(guest, ep, EPOLL_CTL_ADD, reader, EPOLLIN)
    twin = guest.dup(reader)
    guest.put(writer, b"x")
    guest.close(reader)
    assert ready(guest, ep) == [(EPOLLIN, reader)]
    guest.close(twin)
    assert ready(guest, ep) == []


def test_errors(guest: Guest) -> None:
    ep = guest.epoll_create1(0)
    reader, _ = guest.pipe_pair()
    assert guest.epoll_create(0) == -EINVAL
    assert control(guest, ep, EPOLL_CTL_MOD, reader, EPOLLIN) == -ENOENT
    assert control(guest, ep, EPOLL_CTL_ADD, reader, EPOLLIN) == 0
    assert control(guest, ep, EPOLL_CTL_ADD, reader, EPOLLIN) == -EEXIST
    assert control(guest, ep, EPOLL_CTL_ADD, 99, EPOLLIN) == -EBADF
    assert control(guest, ep, EPOLL_CTL_ADD, ep, EPOLLIN) == -EINVAL
    assert control(guest, reader, EPOLL_CTL_ADD, ep, EPOLLIN) == -EINVAL
    assert control(guest, ep, EPOLL_CTL_MOD, reader, EPOLLIN | EPOLLEXCLUSIVE) == -EINVAL
    assert control(guest, ep, 9, reader, EPOLLIN) == -EINVAL
    other, _ = guest.pipe_pair()
    assert control(guest, ep, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT) == -EINVAL
    assert control(guest, ep, EPOLL_CTL_ADD, guest.epoll_create1(0), EPOLLIN | EPOLLEXCLUSIVE) == -EINVAL
    assert control(guest, ep, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE) == 0
    assert control(guest, ep, EPOLL_CTL_MOD, other, EPOLLIN) == -EINVAL
    assert guest.epoll_wait(ep, guest.alloc(12), 0, 0) == -EINVAL
    assert guest.epoll_wait(reader, guest.alloc(12), 1, 0) == -EINVAL


def test_nesting_has_an_end_like_on_this_kernel(guest: Guest) -> None:
    ours = [guest.epoll_create1(0) for _ in range(8)]
    theirs = [select.epoll() for _ in range(8)]
    results = []
    for index in range(7):
        result = control(guest, ours[index + 1], EPOLL_CTL_ADD, ours[index], EPOLLIN)
        try:
            theirs[index + 1].register(theirs[index], select.EPOLLIN)
            expected = 0
        except OSError as error:
            expected = -(error.errno or 0)
        results.append((result, expected))
    assert all(ours == theirs for ours, theirs in results)
    assert control(guest, ours[0], EPOLL_CTL_ADD, ours[2], EPOLLIN) == -ELOOP


def test_a_nested_instance_is_readable(guest: Guest) -> None:
    inner, outer = guest.epoll_create1(0), guest.epoll_create1(0)
    reader, writer = guest.pipe_pair()
    control(guest, inner, EPOLL_CTL_ADD, reader, EPOLLIN)
    control(guest, outer, EPOLL_CTL_ADD, inner, EPOLLIN)
    assert ready(guest, outer) == []
    guest.put(writer, b"x")
    assert ready(guest, outer) == [(EPOLLIN, inner)]
    guest.get(reader, 1)
    assert ready(guest, outer) == []


class EpollMachine(RuleBasedStateMachine):
    """Two socket pairs and two pipes, watched in all ways, here and on the host."""

    def __init__(self) -> None:
        import socket

        super().__init__()
        self.guest = World().guest()
        self.ours: list[int] = []
        self.theirs: list[int] = []
        for _ in range(2):
            self.ours += self.guest.pipe_pair(O_NONBLOCK)
            self.theirs += os.pipe2(os.O_NONBLOCK)
            addr = self.guest.alloc(8)
            assert self.guest.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, addr) == 0
            self.ours += self.guest.words(addr, 2)
            for end in socket.socketpair():
                end.setblocking(False)
                self.theirs.append(end.detach())
        self.ep = self.guest.epoll_create1(0)
        self.host = select.epoll()
        self.is_closed = [False] * len(self.ours)
        self.buffer = self.guest.alloc(70_000)

    def teardown(self) -> None:
        self.host.close()
        for fd, is_closed in zip(self.theirs, self.is_closed, strict=True):
            if not is_closed:
                os.close(fd)

    which = st.integers(0, 7)
    sizes = st.sampled_from([1, 1, 4096, 65_536])
    events = st.builds(
        lambda wanted, kind: wanted | kind,
        st.sampled_from([EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT, 0]),
        st.sampled_from([0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT]),
    )

    def host_call(self, act: Any) -> int:
        try:
            result = act()
        except OSError as error:
            return -(error.errno or 0)
        return len(result) if isinstance(result, bytes) else result or 0

    @rule(which=which, op=st.sampled_from([EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL]), events=events)
    def control(self, which: int, op: int, events: int) -> None:
        if self.is_closed[which]:
            return
        ours = control(self.guest, self.ep, op, self.ours[which], events, which)
        fd = self.theirs[which]
        theirs = self.host_call(
            {
                EPOLL_CTL_ADD: lambda: self.host.register(fd, events),
                EPOLL_CTL_MOD: lambda: self.host.modify(fd, events),
                EPOLL_CTL_DEL: lambda: self.host.unregister(fd),
            }[op]
        )
        assert ours == theirs

    @rule(which=which, size=sizes)
    def write(self, which: int, size: int) -> None:
        if not self.is_closed[which]:
            ours = self.guest.write(self.ours[which], self.buffer, size)
            assert ours == self.host_call(lambda: os.write(self.theirs[which], b"\0" * size))

    @rule(which=which, size=sizes)
    def read(self, which: int, size: int) -> None:
        if not self.is_closed[which]:
            ours = self.guest.read(self.ours[which], self.buffer, size)
            assert ours == self.host_call(lambda: os.read(self.theirs[which], size))

    @rule(which=which)
    def close(self, which: int) -> None:
        if not self.is_closed[which] and which in (1, 5, 3):
            self.is_closed[which] = True
            self.guest.close(self.ours[which])
            os.close(self.theirs[which])

    @rule(maxevents=st.sampled_from([1, 2, 20]))
    def wait(self, maxevents: int) -> None:
        ours = [(events, data) for events, data in ready(self.guest, self.ep, maxevents)]
        theirs = [(events, self.theirs.index(fd)) for fd, events in self.host.poll(0, maxevents)]
        assert ours == theirs


EpollMachine.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestEpollAgainstHost = EpollMachine.TestCase
