"""Messages with headers: control messages, several at once, flags, senders told apart; and the socket's own ioctls."""

import struct
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from guest_world import BASE, Guest, World

from syscalls.abi import errno as errnos
from syscalls.abi import socket as abi
from syscalls.abi.ioctl import FIONREAD, TIOCOUTQ

STREAM, DGRAM = abi.SOCK_STREAM, abi.SOCK_DGRAM
CREDENTIALS = abi.SCM_CREDENTIALS


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


def header(guest: Guest, data: bytes | int, control: bytes | int = b"", name: int = 0, namelen: int = 0) -> bytes:
    size = data if isinstance(data, int) else len(data)
    room = control if isinstance(control, int) else len(control)
    iov = guest.alloc(struct.pack("<QQ", guest.alloc(data), size))
    return abi.MSGHDR.pack(name, namelen, iov, 1, guest.alloc(control) if room else 0, room, 0)


def message(guest: Guest, *arguments: Any, **keywords: Any) -> int:
    return guest.alloc(header(guest, *arguments, **keywords))


def fields(guest: Guest, msg: int) -> tuple[int, bytes, int]:
    """namelen, control, flags after a receive."""
    _, namelen, _, _, control, controllen, flags = abi.MSGHDR.unpack(guest.peek(msg, abi.MSGHDR.size))
    return namelen, guest.peek(control, controllen) if controllen else b"", flags


def cmsg(kind: int, data: bytes, level: int = abi.SOL_SOCKET, length: int | None = None) -> bytes:
    return (abi.CMSGHDR.pack(16 + len(data) if length is None else length, level, kind) + data).ljust(32, b"\0")


def ids(*numbers: int) -> bytes:
    return abi.UCRED.pack(*numbers)


def pass_credentials(guest: Guest, fd: int) -> None:
    assert guest.setsockopt(fd, abi.SOL_SOCKET, abi.SO_PASSCRED, guest.alloc((1).to_bytes(4, "little")), 4) == 0


def test_malformed_control_is_refused(guest: Guest) -> None:
    first, _ = pair(guest)
    right = (0).to_bytes(4, "little")
    for control, error in (
        (cmsg(abi.SCM_RIGHTS, right, length=15), errnos.EINVAL),
        (cmsg(abi.SCM_RIGHTS, right, length=33), errnos.EINVAL),
        (cmsg(99, right), errnos.EINVAL),
        (cmsg(abi.SCM_RIGHTS, (77).to_bytes(4, "little")), errnos.EBADF),
        (cmsg(CREDENTIALS, b"1234"), errnos.EINVAL),
    ):
        assert guest.sendmsg(first, message(guest, b"x", control), 0) == -error
    assert guest.sendmsg(first, message(guest, b"x", cmsg(99, right, level=41)), 0) == 1  # other levels are not ours
    too_many = abi.CMSGHDR.pack(16 + 4 * 254, abi.SOL_SOCKET, abi.SCM_RIGHTS) + right * 254
    assert guest.sendmsg(first, message(guest, b"x", too_many), 0) == -errnos.EINVAL
    assert guest.sendmsg(first, message(guest, b"x", cmsg(abi.SCM_RIGHTS, right)), abi.MSG_OOB) == -errnos.EOPNOTSUPP
    assert guest.task.fds.get(0).references == 1


def test_nobody_lies_about_himself(world: World) -> None:
    guest = world.guest(uid=1000)
    first, second = pair(guest, DGRAM)
    pid = guest.task.group.tgid
    for pid_, uid, gid in ((1 + pid, 1000, 1000), (pid, 0, 1000), (pid, 1000, 0)):
        assert guest.sendmsg(first, message(guest, b"x", cmsg(CREDENTIALS, ids(pid_, uid, gid))), 0) == -errnos.EPERM
    assert guest.sendmsg(first, message(guest, b"x", cmsg(CREDENTIALS, ids(pid, 1000, 1000))), 0) == 1
    pass_credentials(guest, second)
    msg = message(guest, 1, 32)
    assert guest.recvmsg(second, msg, 0) == 1
    assert fields(guest, msg)[1][16:28] == ids(pid, 1000, 1000)
    root = world.guest()
    first, _ = pair(root)
    assert root.sendmsg(first, message(root, b"x", cmsg(CREDENTIALS, ids(77, 5, 5))), 0) == -errnos.ESRCH


def test_a_stream_with_credentials_stops_where_the_sender_changes(world: World, guest: Guest) -> None:
    first, second = pair(guest)
    pass_credentials(guest, second)
    peer = world.guest(uid=7)
    peer.task.fds = guest.task.fds
    guest.put(first, b"one")
    guest.put(first, b"+")
    peer.put(first, b"two")
    found = []
    for _ in range(2):
        msg = message(guest, 20, 32)
        count = guest.recvmsg(second, msg, 0)
        found.append((count, abi.UCRED.unpack_from(fields(guest, msg)[1], 16)))
    assert found == [(4, (guest.task.group.tgid, 0, 0)), (3, (peer.task.group.tgid, 7, 7))]


def test_descriptors_end_a_receive_and_a_peek_copies_them(guest: Guest) -> None:
    first, second = pair(guest)
    guest.put(first, b"before")
    guest.sendmsg(first, message(guest, b"with", cmsg(abi.SCM_RIGHTS, (0).to_bytes(4, "little"))), 0)
    guest.put(first, b"after")
    for flags in (abi.MSG_PEEK, 0):
        msg = message(guest, 50, 32)
        assert guest.recvmsg(second, msg, flags) == 10
        number = int.from_bytes(fields(guest, msg)[1][16:20], "little")
        assert guest.close(number) == 0
    assert guest.get(second, 50) == b"after"
    assert guest.task.fds.get(0).references == 1


def test_descriptors_in_flight_are_limited(guest: Guest) -> None:
    from syscalls.abi.resource import RLIMIT_NOFILE

    first, second = pair(guest)
    guest.task.group.limits[RLIMIT_NOFILE] = (2, 2)
    msg = message(guest, b"x", cmsg(abi.SCM_RIGHTS, (0).to_bytes(4, "little")))
    assert [guest.sendmsg(first, msg, 0) for _ in range(3)] == [1, 1, -errnos.ETOOMANYREFS]
    assert guest.get(second, 1) == b"x"  # read(2) drops the descriptors
    assert guest.sendmsg(first, msg, 0) == 1


def test_several_messages_at_once(world: World, guest: Guest) -> None:
    first, second = pair(guest, DGRAM)
    vector = guest.alloc(b"".join(header(guest, text) + bytes(8) for text in (b"a", b"bb", b"ccc")))
    assert guest.sendmmsg(first, vector, 3, 0) == 3
    assert [guest.words(vector + at * 64 + 56, 1)[0] for at in range(3)] == [1, 2, 3]
    vector = guest.alloc(b"".join(header(guest, 10) + bytes(8) for _ in range(4)))
    assert guest.recvmmsg(second, vector, 2, 0, 0) == 2
    assert guest.recvmmsg(second, vector, 4, abi.MSG_WAITFORONE, 0) == 1
    assert guest.words(vector + 56, 1) == [3]
    guest.put(first, b"x")
    past = guest.alloc(struct.pack("<qq", 0, 0))
    assert guest.recvmmsg(second, vector, 4, 0, past) == 1  # looked at after each message
    assert guest.recvmmsg(second, vector, 4, abi.MSG_DONTWAIT, 0) == -errnos.EAGAIN
    guest.close(second)
    assert guest.sendmmsg(first, vector, 1, 0) == -errnos.ECONNREFUSED


def test_one_call_may_refuse_to_wait(guest: Guest) -> None:
    first, _ = pair(guest)
    assert guest.recvfrom(first, BASE, 1, abi.MSG_DONTWAIT) == -errnos.EAGAIN
    assert guest.recvfrom(first, BASE, 1, 0) == "waits"
    sent = guest.sendto(first, BASE, 1_000_000, abi.MSG_DONTWAIT)
    assert 200_000 < sent < 300_000
    assert guest.sendto(first, BASE, 1, abi.MSG_DONTWAIT) == -errnos.EAGAIN
    assert guest.sendto(first, BASE, 1, 0) == "waits"
    unbound = guest.socket(abi.AF_UNIX, STREAM, 0)
    assert guest.recvfrom(unbound, BASE, 1, 0) == -errnos.EINVAL
    assert guest.sendto(unbound, BASE, 1, 0) == -errnos.ENOTCONN


def test_a_message_has_a_largest_size(guest: Guest) -> None:
    first, _ = pair(guest, DGRAM)
    assert guest.sendto(first, BASE, 212_992 - 31, 0) == -errnos.EMSGSIZE
    assert guest.sendto(first, BASE, 212_992 - 32, 0) == 212_992 - 32


def test_a_message_has_at_most_1024_parts(guest: Guest) -> None:
    first, second = pair(guest)
    iov = guest.alloc(struct.pack("<QQ", BASE, 1) * 1025)
    for count, result in ((1024, 1024), (1025, -errnos.EMSGSIZE)):
        msg = guest.alloc(abi.MSGHDR.pack(0, 0, iov, count, 0, 0, 0))
        assert guest.sendmsg(first, msg, 0) == result
        assert guest.recvmsg(second, msg, abi.MSG_DONTWAIT) == result


def test_waitall_is_content_with_exactly_all(guest: Guest) -> None:
    first, second = pair(guest)
    guest.put(first, b"abc")
    assert guest.recvfrom(second, BASE, 3, abi.MSG_WAITALL) == 3


def test_a_cut_message_is_told(guest: Guest) -> None:
    first, second = pair(guest, DGRAM)
    guest.put(first, b"too long")
    msg = message(guest, 3, name=guest.alloc(20), namelen=20)
    assert guest.recvmsg(second, msg, 0) == 3
    assert fields(guest, msg) == (0, b"", abi.MSG_TRUNC)
    guest.put(first, b"too long")
    assert guest.recvmsg(second, msg, abi.MSG_TRUNC) == 8


def test_queued_bytes(guest: Guest) -> None:
    first, second = pair(guest)
    addr = guest.alloc(4)
    guest.put(first, b"12345")
    assert guest.ioctl(second, FIONREAD, addr) == 0
    assert guest.words(addr, 1) == [5]
    assert guest.ioctl(first, TIOCOUTQ, addr) == 0
    assert guest.words(addr, 1) == [768]
    assert guest.ioctl(first, 0x5401, addr) == -errnos.ENOTTY
    listener = guest.socket(abi.AF_UNIX, STREAM, 0)
    guest.bind(listener, guest.alloc(struct.pack("<H", 1)), 2)
    guest.listen(listener, 1)
    assert guest.ioctl(listener, FIONREAD, addr) == -errnos.EINVAL


def test_a_peer_that_goes_away_in_the_middle_of_a_write(world: World, guest: Guest) -> None:
    first, second = pair(guest)
    peer = world.guest()
    peer.task.fds = guest.task.fds
    guest.begin("write", first, BASE, 900_000)
    peer.close(second)
    world.run()
    (count,) = guest.outcomes
    assert 200_000 < count < 900_000
    assert guest.put(first, b"x") == -errnos.EPIPE


def test_a_low_water_mark_is_waited_for(world: World, guest: Guest) -> None:
    first, second = pair(guest)
    guest.setsockopt(second, abi.SOL_SOCKET, abi.SO_RCVLOWAT, guest.alloc((3).to_bytes(4, "little")), 4)
    peer = world.guest()
    peer.task.fds = guest.task.fds
    peer.put(first, b"ab")
    guest.begin("recvfrom", second, BASE, 10)
    assert guest.is_waiting
    peer.put(first, b"c")
    world.run()
    assert guest.outcomes == [3]


def test_not_a_socket_and_wrong_lengths(guest: Guest) -> None:
    reader, _ = guest.pipe_pair()
    assert guest.listen(reader, 1) == -errnos.ENOTSOCK
    assert guest.listen(99, 1) == -errnos.EBADF
    fd = guest.socket(abi.AF_UNIX, STREAM, 0)
    addr = guest.alloc(struct.pack("<H", 1) + b"\0abc")
    assert guest.listen(fd, 1) == -errnos.EINVAL
    assert guest.bind(fd, addr, 129) == -errnos.EINVAL
    assert guest.bind(fd, addr, 111) == -errnos.EINVAL
    assert guest.bind(fd, addr, -1) == -errnos.EINVAL
    assert guest.bind(fd, guest.alloc(struct.pack("<H", 2) + bytes(14)), 16) == -errnos.EINVAL
    assert guest.shutdown(fd, 3) == -errnos.EINVAL
    assert guest.accept(fd, 0, 0) == -errnos.EINVAL
    assert guest.accept4(fd, 0, 0, 1) == -errnos.EINVAL
    assert guest.getpeername(fd, addr, guest.alloc(4)) == -errnos.ENOTCONN
    assert guest.accept(guest.socket(abi.AF_UNIX, DGRAM, 0), 0, 0) == -errnos.EOPNOTSUPP
    assert guest.socket(abi.AF_UNIX, STREAM, 6) == -errnos.EPROTONOSUPPORT
    assert guest.socket(abi.AF_UNIX, STREAM | 0x10, 0) == -errnos.EINVAL
    assert guest.socket(999, STREAM, 0) == -errnos.EAFNOSUPPORT


def test_connected_sockets_take_no_address(guest: Guest) -> None:
    first, _ = pair(guest)
    other = guest.socket(abi.AF_UNIX, DGRAM, 0)
    raw = guest.alloc(struct.pack("<H", 1) + b"\0x")
    assert guest.bind(other, raw, 4) == 0
    assert guest.connect(first, raw, 4) == -errnos.EPROTOTYPE
    stranger = guest.socket(abi.AF_UNIX, DGRAM, 0)
    assert guest.connect(stranger, raw, 4) == 0
    assert guest.connect(other, guest.alloc(struct.pack("<H", 0)), 2) == 0  # AF_UNSPEC: no peer
    partner, _ = pair(guest, DGRAM)
    assert guest.sendto(partner, BASE, 1, 0, raw, 4) == 1
    assert guest.connect(stranger, guest.alloc(struct.pack("<H", 0)), 2) == 0
    assert guest.put(stranger, b"x") == -errnos.ENOTCONN
