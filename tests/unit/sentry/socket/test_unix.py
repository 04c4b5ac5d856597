"""UNIX sockets: connections, messages, descriptors, ends; and equality with a socket pair of this machine's kernel."""

import os
import select
import socket as host
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from guest_world import BASE, Guest, World

from sentry.sched.wait import Restart
from syscalls.abi import errno as errnos
from syscalls.abi import socket as abi
from syscalls.abi.fcntl import F_GETFD, O_NONBLOCK
from syscalls.abi.poll import POLLFD
from syscalls.abi.signal import SIGPIPE

STREAM, DGRAM, SEQPACKET = abi.SOCK_STREAM, abi.SOCK_DGRAM, abi.SOCK_SEQPACKET


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def guest(world: World) -> Guest:
    return world.guest()


def pair(guest: Guest, kind: int = STREAM) -> tuple[int, int]:
    addr = guest.alloc(8)
    assert guest.socketpair(abi.AF_UNIX, kind, 0, addr) == 0
    first, second = guest.words(addr, 2)
    return first, second


def abstract(name: bytes) -> bytes:
    return struct.pack("<H", abi.AF_UNIX) + b"\0" + name


def listener(guest: Guest, name: bytes = b"here", kind: int = STREAM, backlog: int = 5) -> int:
    fd = guest.socket(abi.AF_UNIX, kind, 0)
    raw = abstract(name)
    assert guest.bind(fd, guest.alloc(raw), len(raw)) == 0
    assert guest.listen(fd, backlog) == 0
    return int(fd)


def message(guest: Guest, data: bytes | int, control: bytes | int = b"") -> int:
    """A msghdr with one buffer; integers make room for a receive."""
    size = data if isinstance(data, int) else len(data)
    control_size = control if isinstance(control, int) else len(control)
    iov = guest.alloc(struct.pack("<QQ", guest.alloc(data), size))
    control_addr = guest.alloc(control) if control_size else 0
    return guest.alloc(abi.MSGHDR.pack(0, 0, iov, 1, control_addr, control_size, 0))


def control_of(guest: Guest, msg: int) -> tuple[bytes, int]:
    _, _, _, _, control, controllen, flags = abi.MSGHDR.unpack(guest.peek(msg, abi.MSGHDR.size))
    return guest.peek(control, controllen) if control else b"", flags


def rights(*fds: int) -> bytes:
    data = b"".join(fd.to_bytes(4, "little") for fd in fds)
    return abi.CMSGHDR.pack(16 + len(data), abi.SOL_SOCKET, abi.SCM_RIGHTS) + data


def test_a_connection(world: World, guest: Guest) -> None:
    server, client = world.guest(), guest
    fd = listener(server)
    server.begin("accept", fd, 0, 0)
    end = client.socket(abi.AF_UNIX, STREAM, 0)
    raw = abstract(b"here")
    assert client.connect(end, client.alloc(raw), len(raw)) == 0
    world.run()
    (peer,) = server.outcomes
    assert client.put(end, b"hello") == 5
    assert server.get(peer, 10) == b"hello"
    length = client.alloc((110).to_bytes(4, "little"))
    name = client.alloc(110)
    assert client.getpeername(end, name, length) == 0
    assert client.peek(name, client.words(length, 1)[0]) == raw
    option = client.alloc(12)
    assert client.getsockopt(end, abi.SOL_SOCKET, abi.SO_PEERCRED, option, client.alloc((12).to_bytes(4, "little"))) == 0
    assert abi.UCRED.unpack(client.peek(option, 12)) == (server.task.group.tgid, 0, 0)


def test_connect_waits_while_the_backlog_is_full(world: World, guest: Guest) -> None:
    fd = listener(guest, backlog=0)
    raw = abstract(b"here")
    ends = []
    for _ in range(2):
        other = world.guest()
        end = other.socket(abi.AF_UNIX, STREAM, 0)
        other.begin("connect", end, other.alloc(raw), len(raw))
        ends.append(other)
    assert ends[0].outcomes == [0]
    assert ends[1].is_waiting
    late = world.guest()
    end = late.socket(abi.AF_UNIX, STREAM | abi.SOCK_NONBLOCK, 0)
    assert late.connect(end, late.alloc(raw), len(raw)) == -errnos.EAGAIN
    assert guest.accept4(fd, 0, 0, abi.SOCK_CLOEXEC) > 0
    world.run()
    assert ends[1].outcomes == [0]
    guest.close(fd)


def test_connect_to_nobody(guest: Guest) -> None:
    end = guest.socket(abi.AF_UNIX, STREAM, 0)
    raw = abstract(b"nobody")
    addr = guest.alloc(raw)
    assert guest.connect(end, addr, len(raw)) == -errnos.ECONNREFUSED
    other = guest.socket(abi.AF_UNIX, DGRAM, 0)
    assert guest.bind(other, addr, len(raw)) == 0
    assert guest.connect(end, addr, len(raw)) == -errnos.EPROTOTYPE
    assert guest.bind(guest.socket(abi.AF_UNIX, DGRAM, 0), addr, len(raw)) == -errnos.EADDRINUSE
    assert guest.bind(other, addr, len(raw)) == -errnos.EINVAL
    guest.close(other)
    assert guest.connect(end, addr, len(raw)) == -errnos.ECONNREFUSED


def test_a_closed_listener_resets_who_waits(guest: Guest) -> None:
    fd = listener(guest)
    end = guest.socket(abi.AF_UNIX, STREAM, 0)
    raw = abstract(b"here")
    assert guest.connect(end, guest.alloc(raw), len(raw)) == 0
    guest.close(fd)
    assert guest.get(end, 1) == -errnos.ECONNRESET
    assert guest.get(end, 1) == b""


def test_epipe_sends_a_signal_unless_told_not_to(world: World, guest: Guest) -> None:
    first, second = pair(guest)
    guest.close(second)
    assert guest.sendto(first, BASE, 1, abi.MSG_NOSIGNAL) == -errnos.EPIPE
    assert world.signals.sent == []
    assert guest.put(first, b"x") == -errnos.EPIPE
    assert world.signals.sent == [(guest.task, SIGPIPE)]


def test_unread_data_makes_a_reset(guest: Guest) -> None:
    first, second = pair(guest)
    guest.put(first, b"never read")
    guest.put(second, b"read")
    guest.close(second)
    assert guest.get(first, 10) == b"read"
    assert guest.get(first, 10) == -errnos.ECONNRESET
    assert guest.get(first, 10) == b""


def test_descriptors_travel(world: World, guest: Guest) -> None:
    first, second = pair(guest)
    reader, writer = guest.pipe_pair()
    assert guest.sendmsg(first, message(guest, b"take", rights(writer)), 0) == 4
    guest.close(writer)
    guest.begin("read", reader, guest.alloc(1), 1)  # no end of file: the message holds the writing end
    assert guest.is_waiting
    guest.task.fiber.cancel()
    msg = message(guest, 10, 64)
    assert guest.recvmsg(second, msg, abi.MSG_CMSG_CLOEXEC) == 4
    control, flags = control_of(guest, msg)
    assert abi.CMSGHDR.unpack_from(control) == (20, abi.SOL_SOCKET, abi.SCM_RIGHTS)
    assert flags == abi.MSG_CMSG_CLOEXEC
    number = int.from_bytes(control[16:20], "little")
    assert guest.fcntl(number, F_GETFD, 0) == 1
    assert guest.put(number, b"!") == 1
    assert guest.get(reader, 1) == b"!"
    assert not any(world.kernel.net.in_flight.values())


def test_descriptors_without_room_are_closed(guest: Guest) -> None:
    first, second = pair(guest)
    reader, writer = guest.pipe_pair(O_NONBLOCK)
    guest.sendmsg(first, message(guest, b"x", rights(writer, writer)), 0)
    guest.close(writer)
    msg = message(guest, 10, 20)
    assert guest.recvmsg(second, msg, 0) == 1
    control, flags = control_of(guest, msg)
    assert len(control) == 20
    assert flags == abi.MSG_CTRUNC
    guest.close(int.from_bytes(control[16:20], "little"))
    assert guest.get(reader, 1) == b""


def test_a_chain_of_sockets_in_messages_is_released_without_recursion(guest: Guest) -> None:
    guest.task.fds.limit = 10_000
    first, second = pair(guest)
    for _ in range(3000):
        third, fourth = pair(guest)
        guest._top = BASE
        assert guest.sendmsg(third, message(guest, b"x", rights(second)), 0) == 1
        guest.close(second)
        guest.close(third)
        second = fourth
    guest.close(second)
    assert guest.put(first, b"x") == -errnos.EPIPE
    guest.close(first)
    assert guest.task.kernel.limits.bytes_used == 0


def test_credentials_travel_when_asked_for(guest: Guest) -> None:
    first, second = pair(guest, DGRAM)
    guest.put(first, b"early")
    on = guest.alloc((1).to_bytes(4, "little"))
    assert guest.setsockopt(second, abi.SOL_SOCKET, abi.SO_PASSCRED, on, 4) == 0
    guest.put(first, b"late")
    found = []
    for _ in range(2):
        msg = message(guest, 10, 64)
        assert guest.recvmsg(second, msg, 0) > 0
        control, _ = control_of(guest, msg)
        assert abi.CMSGHDR.unpack_from(control) == (28, abi.SOL_SOCKET, abi.SCM_CREDENTIALS)
        found.append(abi.UCRED.unpack_from(control, 16))
    assert found == [(0, 65534, 65534), (guest.task.group.tgid, 0, 0)]


def test_a_timeout_ends_a_receive_and_is_not_restarted(world: World, guest: Guest) -> None:
    first, _ = pair(guest)
    half = guest.alloc(struct.pack("<qq", 0, 500_000))
    assert guest.setsockopt(first, abi.SOL_SOCKET, abi.SO_RCVTIMEO, half, 16) == 0
    guest.begin("recvfrom", first, BASE, 1)
    world.run(499_999_999)
    assert guest.is_waiting
    world.run(1)
    assert guest.outcomes.pop() == -errnos.EAGAIN
    guest.begin("read", first, BASE, 1)
    guest.task.fiber.interrupt()
    world.run()
    assert guest.outcomes == [-errnos.EINTR]


def test_waitall_waits_for_all_and_a_signal_returns_the_part(world: World, guest: Guest) -> None:
    first, second = pair(guest)
    peer = world.guest()
    peer.task.fds = guest.task.fds
    guest.begin("recvfrom", second, BASE, 6, abi.MSG_WAITALL)
    peer.put(first, b"abc")
    world.run()
    assert guest.is_waiting
    peer.put(first, b"def")
    world.run()
    assert guest.outcomes.pop() == 6
    guest.begin("recvfrom", second, BASE, 6, abi.MSG_WAITALL)
    peer.put(first, b"abc")
    world.run()
    guest.task.fiber.interrupt()
    world.run()
    assert guest.outcomes.pop() == 3
    guest.begin("recvfrom", second, BASE, 6, abi.MSG_WAITALL)
    guest.task.fiber.interrupt()
    world.run()
    assert guest.outcomes == [Restart.SYS]


def test_datagrams_find_their_way_and_their_way_back(guest: Guest) -> None:
    server, client = guest.socket(abi.AF_UNIX, DGRAM, 0), guest.socket(abi.AF_UNIX, DGRAM, 0)
    for fd, name in ((server, b"server"), (client, b"client")):
        raw = abstract(name)
        assert guest.bind(fd, guest.alloc(raw), len(raw)) == 0
    raw = abstract(b"server")
    assert guest.sendto(client, guest.alloc(b"question"), 8, 0, guest.alloc(raw), len(raw)) == 8
    name, length = guest.alloc(110), guest.alloc((110).to_bytes(4, "little"))
    assert guest.recvfrom(server, guest.alloc(4), 4, abi.MSG_TRUNC, name, length) == 8
    assert guest.peek(name, guest.words(length, 1)[0]) == abstract(b"client")
    assert guest.put(server, b"x") == -errnos.ENOTCONN


def test_a_full_queue_holds_strangers_back(world: World, guest: Guest) -> None:
    server = guest.socket(abi.AF_UNIX, DGRAM, 0)
    raw = abstract(b"server")
    addr = guest.alloc(raw)
    assert guest.bind(server, addr, len(raw)) == 0
    sender = world.guest()
    client = sender.socket(abi.AF_UNIX, DGRAM, 0)
    assert sender.connect(client, sender.alloc(raw), len(raw)) == 0
    for _ in range(11):
        assert sender.put(client, b"x") == 1
    sender.begin("write", client, BASE, 1)
    assert sender.is_waiting
    assert guest.get(server, 1) == b"x"
    world.run()
    assert sender.outcomes == [1]


def test_large_stream_write_goes_on(world: World, guest: Guest) -> None:
    first, second = pair(guest)
    peer = world.guest()
    peer.task.fds = guest.task.fds
    guest.begin("write", first, BASE, 900_000)
    got = 0
    while guest.is_waiting:
        got += peer.read(second, BASE, 100_000)
        world.run()
    assert guest.outcomes == [900_000]
    while got < 900_000:
        got += peer.read(second, BASE, 100_000)
    assert got == 900_000


def test_autobind_and_unknown_families(guest: Guest) -> None:
    fd = guest.socket(abi.AF_UNIX, STREAM, 0)
    assert guest.bind(fd, guest.alloc(struct.pack("<H", abi.AF_UNIX)), 2) == 0
    name, length = guest.alloc(110), guest.alloc((110).to_bytes(4, "little"))
    assert guest.getsockname(fd, name, length) == 0
    assert guest.peek(name, guest.words(length, 1)[0]) == abstract(b"00000")
    assert guest.socket(abi.AF_X25, STREAM, 0) == -errnos.EAFNOSUPPORT
    assert guest.socket(abi.AF_UNIX, 9, 0) == -errnos.ESOCKTNOSUPPORT


class PairMachine(RuleBasedStateMachine):
    """The same calls on a pair of the sentry and on one of the host."""

    def __init__(self) -> None:
        super().__init__()
        self.guest = World().guest()
        self.step = 0

    @initialize(kind=st.sampled_from([STREAM, DGRAM, SEQPACKET]))
    def create(self, kind: int) -> None:
        self.kind = kind
        self.ours: list[int | None] = list(pair(self.guest, kind | abi.SOCK_NONBLOCK))
        self.theirs: list[Any] = list(host.socketpair(host.AF_UNIX, kind))
        for end in self.theirs:
            end.setblocking(False)

    def teardown(self) -> None:
        for end in getattr(self, "theirs", []):
            if end is not None:
                end.close()

    def both(self, side: int, ours: Any, theirs: Any) -> None:
        if self.ours[side] is None:
            return
        try:
            expected = theirs(self.theirs[side])
        except OSError as error:
            expected = -(error.errno or 0)
        assert ours(self.ours[side]) == expected

    sizes = st.one_of(st.integers(0, 5), st.integers(180, 200), st.integers(3700, 3800), st.integers(0, 100_000))
    sides = st.sampled_from([0, 1])

    @rule(side=sides, size=sizes)
    def send(self, side: int, size: int) -> None:
        self.step += 1
        data = bytes([self.step & 0xFF]) * size
        self.guest.ram.data[:size] = data
        self.both(
            side,
            lambda fd: self.guest.sendto(fd, BASE, size, abi.MSG_NOSIGNAL),
            lambda end: end.send(data, host.MSG_NOSIGNAL),
        )

    @rule(side=sides, size=sizes, flags=st.sampled_from([0, 0, abi.MSG_PEEK, abi.MSG_TRUNC]))
    def receive(self, side: int, size: int, flags: int) -> None:
        size = max(size, 1)  # Python itself answers a receive of nothing
        if flags & abi.MSG_TRUNC and self.kind == STREAM:
            return
        self.both(
            side,
            lambda fd: self.received(self.guest.recvfrom(fd, BASE, size, flags), size),
            lambda end: self.counted(end, size, flags),
        )

    def received(self, count: int, size: int) -> Any:
        return count if count < 0 else (count, bytes(self.guest.ram.data[: min(count, size)]))

    def counted(self, end: Any, size: int, flags: int) -> Any:
        buffer = bytearray(size)
        count = end.recv_into(buffer, size, flags)
        return count, bytes(buffer[: min(count, size)])

    @rule(side=sides, how=st.sampled_from([0, 1, 2]))
    def shutdown(self, side: int, how: int) -> None:
        self.both(side, lambda fd: self.guest.shutdown(fd, how), lambda end: end.shutdown(how) or 0)

    @rule(side=sides)
    def close(self, side: int) -> None:
        if self.step < 6 or self.ours[side] is None:
            return
        self.guest.close(self.ours[side])
        self.theirs[side].close()
        self.ours[side] = self.theirs[side] = None

    @rule(side=sides)
    def so_error(self, side: int) -> None:
        def ours(fd: int) -> int:
            addr = self.guest._top
            self.guest.ram.write(addr + 8, (4).to_bytes(4, "little"))
            assert self.guest.getsockopt(fd, abi.SOL_SOCKET, abi.SO_ERROR, addr, addr + 8) == 0
            return self.guest.words(addr, 1)[0]

        self.both(side, ours, lambda end: end.getsockopt(host.SOL_SOCKET, host.SO_ERROR))

    @invariant()
    def same_readiness(self) -> None:
        for side in (0, 1):
            if not hasattr(self, "ours") or self.ours[side] is None:
                continue
            events = select.POLLIN | select.POLLOUT | select.POLLRDHUP
            poller = select.poll()
            poller.register(self.theirs[side], events)
            expected = dict(poller.poll(0)).get(self.theirs[side].fileno(), 0)
            addr = self.guest._top
            self.guest.ram.write(addr, POLLFD.pack(self.ours[side], events, 0))
            self.guest.poll(addr, 1, 0)
            assert POLLFD.unpack(self.guest.peek(addr, 8))[2] == expected, side


PairMachine.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestPairAgainstHost = PairMachine.TestCase
assert os.name == "posix"
