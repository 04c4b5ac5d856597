"""fcntl(2): record locks, owners, seals, pipe sizes; and socket options."""

import struct
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from guest_world import Guest, World

from sentry.kernel.session import ProcessGroup, Session
from sentry.vfs.file import O_PATH, FileDescription
from sentry.vfs.inode import FileSystem, Inode
from sentry.vfs.stat import Attr
from syscalls.abi import fcntl as f
from syscalls.abi import socket as s
from syscalls.abi.errno import EAGAIN, EBADF, EDEADLK, EDOM, EINVAL, ENOPROTOOPT, EOPNOTSUPP, EOVERFLOW, EPERM, ESRCH
from syscalls.abi.stat import S_IFREG


class Regular(FileDescription):
    __slots__ = ()
    is_seekable = True


@pytest.fixture
def world() -> World:
    world = World()
    return world


@pytest.fixture
def inode() -> Inode:
    return Inode(FileSystem(1), Attr(1, S_IFREG | 0o600, size=100))


def descriptor(guest: Guest, inode: Inode, flags: int = f.O_RDWR) -> int:
    return int(guest.task.fds.install(Regular(inode, flags)))


def lock(guest: Guest, fd: int, op: int, kind: int, start: int = 0, length: int = 0, whence: int = 0, pid: int = 0) -> Any:
    addr = guest.alloc(f.FLOCK.pack(kind, whence, start, length, pid))
    result = guest.fcntl(fd, op, addr)
    return f.FLOCK.unpack(guest.peek(addr, f.FLOCK.size)) if op in (f.F_GETLK, f.F_OFD_GETLK) and result == 0 else result


def test_locks_of_processes(world: World, inode: Inode) -> None:
    one, two = world.guest(), world.guest()
    a, b = descriptor(one, inode), descriptor(two, inode)
    assert lock(one, a, f.F_SETLK, f.F_WRLCK, 10, 10) == 0
    assert lock(two, b, f.F_SETLK, f.F_RDLCK, 19, 1) == -EAGAIN
    assert lock(two, b, f.F_SETLK, f.F_RDLCK, 20, 1) == 0
    assert lock(two, b, f.F_GETLK, f.F_WRLCK, 0, 0) == (f.F_WRLCK, 0, 10, 10, one.task.group.tgid)
    assert lock(one, a, f.F_GETLK, f.F_WRLCK, 0, 0) == (f.F_RDLCK, 0, 20, 1, two.task.group.tgid)
    assert lock(one, a, f.F_GETLK, f.F_WRLCK, 0, 5)[0] == f.F_UNLCK
    assert lock(one, a, f.F_SETLK, f.F_UNLCK, 12, 2) == 0
    assert lock(two, b, f.F_SETLK, f.F_WRLCK, 12, 2) == 0
    other = descriptor(one, inode)
    one.close(other)  # any close of the file drops all of the process's locks
    assert lock(two, b, f.F_SETLK, f.F_WRLCK, 0, 0) == 0


def test_a_waiting_lock_and_a_deadlock(world: World, inode: Inode) -> None:
    one, two = world.guest(), world.guest()
    a, b = descriptor(one, inode), descriptor(two, inode)
    assert lock(one, a, f.F_SETLK, f.F_WRLCK, 0, 1) == 0
    assert lock(two, b, f.F_SETLK, f.F_WRLCK, 1, 1) == 0
    one.begin("fcntl", a, f.F_SETLKW, one.alloc(f.FLOCK.pack(f.F_WRLCK, 0, 1, 1, 0)))
    assert one.is_waiting
    assert lock(two, b, f.F_SETLKW, f.F_WRLCK, 0, 1) == -EDEADLK
    assert lock(two, b, f.F_SETLK, f.F_UNLCK, 1, 1) == 0
    world.run()
    assert one.outcomes == [0]


def test_locks_of_descriptions(world: World, inode: Inode) -> None:
    guest = world.guest()
    a, b = descriptor(guest, inode), descriptor(guest, inode)
    assert lock(guest, a, f.F_OFD_SETLK, f.F_WRLCK, -10, 0, 2) == 0
    assert lock(guest, b, f.F_OFD_SETLK, f.F_RDLCK, 95, 1) == -EAGAIN
    assert lock(guest, b, f.F_OFD_GETLK, f.F_RDLCK, 95, 1) == (f.F_WRLCK, 0, 90, 0, -1)
    assert lock(guest, b, f.F_OFD_SETLK, f.F_RDLCK, 95, 1, pid=1) == -EINVAL
    guest.close(a)
    assert lock(guest, b, f.F_OFD_SETLK, f.F_RDLCK, 95, 1) == 0


def test_lock_errors(world: World, inode: Inode) -> None:
    guest = world.guest()
    fd = descriptor(guest, inode, f.O_RDONLY)
    assert lock(guest, fd, f.F_SETLK, f.F_WRLCK) == -EBADF
    assert lock(guest, fd, f.F_SETLK, 7) == -EINVAL
    assert lock(guest, fd, f.F_SETLK, f.F_RDLCK, 0, 0, 9) == -EINVAL
    assert lock(guest, fd, f.F_SETLK, f.F_RDLCK, -1, 0) == -EINVAL
    assert lock(guest, fd, f.F_SETLK, f.F_RDLCK, 5, -6) == -EINVAL
    assert lock(guest, fd, f.F_SETLK, f.F_RDLCK, 5, -5) == 0
    assert lock(guest, fd, f.F_SETLK, f.F_RDLCK, (1 << 63) - 1, 5) == -EOVERFLOW
    assert lock(guest, fd, f.F_GETLK, f.F_UNLCK) == -EINVAL


def test_small_operations(world: World, inode: Inode) -> None:
    guest = world.guest()
    fd = descriptor(guest, inode)
    assert guest.fcntl(fd, f.F_SETOWN, 99) == -ESRCH
    assert guest.fcntl(fd, f.F_SETOWN, -77) == -ESRCH
    assert guest.fcntl(fd, f.F_SETOWN, guest.task.tid) == 0
    assert guest.fcntl(fd, f.F_GETOWN, 0) == guest.task.tid
    world.kernel.tasks.process_groups[77] = ProcessGroup(77, Session(77))
    assert guest.fcntl(fd, f.F_SETOWN, -77) == 0
    assert guest.fcntl(fd, f.F_GETOWN, 0) == -77
    addr = guest.alloc(8)
    assert guest.fcntl(fd, f.F_GETOWN_EX, addr) == 0
    assert guest.words(addr, 2) == [2, 77]
    assert guest.fcntl(fd, f.F_SETOWN_EX, guest.alloc(struct.pack("<ii", 3, 1))) == -EINVAL
    assert guest.fcntl(fd, f.F_SETSIG, 10) == 0
    assert guest.fcntl(fd, f.F_GETSIG, 0) == 10
    assert guest.fcntl(fd, f.F_SETSIG, 65) == -EINVAL
    assert guest.fcntl(fd, f.F_GET_SEALS, 0) == -EINVAL
    assert guest.fcntl(fd, f.F_GETPIPE_SZ, 0) == -EBADF
    assert guest.fcntl(fd, f.F_GETLEASE, 0) == f.F_UNLCK
    assert guest.fcntl(fd, 999, 0) == -EINVAL
    assert guest.fcntl(99, f.F_GETFD, 0) == -EBADF
    assert guest.fcntl(fd, f.F_SETFL, f.O_APPEND | f.O_WRONLY | f.O_CREAT) == 0
    assert guest.fcntl(fd, f.F_GETFL, 0) == f.O_RDWR | f.O_APPEND
    stranger = world.guest(uid=5)
    other = descriptor(stranger, inode)
    assert stranger.fcntl(other, f.F_SETFL, f.O_NOATIME) == -EPERM


def test_a_place_without_an_open_file(world: World, inode: Inode) -> None:
    guest = world.guest()
    fd = descriptor(guest, inode, O_PATH)
    assert guest.fcntl(fd, f.F_GETFD, 0) == 0
    assert guest.fcntl(fd, f.F_GETFL, 0) == O_PATH
    assert guest.fcntl(fd, f.F_SETFL, 0) == -EBADF
    assert guest.fcntl(fd, f.F_DUPFD, 0) > fd
    assert guest.read(fd, 0, 0) == -EBADF


def option(guest: Guest, fd: int, name: int, size: int = 4, level: int = s.SOL_SOCKET) -> Any:
    value, length = guest.alloc(size), guest.alloc(size.to_bytes(4, "little"))
    result = guest.getsockopt(fd, level, name, value, length)
    return guest.peek(value, guest.words(length, 1)[0]) if result == 0 else result


def set_option(guest: Guest, fd: int, name: int, value: bytes, level: int = s.SOL_SOCKET) -> Any:
    return guest.setsockopt(fd, level, name, guest.alloc(value or 1), len(value))


def word(value: int) -> bytes:
    return value.to_bytes(4, "little")


def test_socket_options(world: World) -> None:
    guest = world.guest(uid=1000)
    fd = guest.socket(s.AF_UNIX, s.SOCK_STREAM, 0)
    assert option(guest, fd, s.SO_TYPE) == word(s.SOCK_STREAM)
    assert option(guest, fd, s.SO_DOMAIN) == word(s.AF_UNIX)
    assert option(guest, fd, s.SO_PROTOCOL) == word(0)
    assert option(guest, fd, s.SO_ACCEPTCONN) == word(0)
    assert option(guest, fd, s.SO_SNDBUF) == word(212_992)
    assert option(guest, fd, s.SO_SNDBUF, 2) == word(212_992)[:2]
    assert set_option(guest, fd, s.SO_SNDBUF, word(10_000)) == 0
    assert option(guest, fd, s.SO_SNDBUF) == word(20_000)
    assert set_option(guest, fd, s.SO_RCVBUF, word(1)) == 0
    assert option(guest, fd, s.SO_RCVBUF) == word(2304)
    assert set_option(guest, fd, s.SO_SNDBUF, word(1 << 30)) == 0
    assert option(guest, fd, s.SO_SNDBUF) == word(425_984)
    assert set_option(guest, fd, s.SO_SNDBUFFORCE, word(1)) == -EPERM
    assert set_option(guest, fd, s.SO_PASSCRED, word(7)) == 0
    assert option(guest, fd, s.SO_PASSCRED) == word(1)
    assert set_option(guest, fd, s.SO_RCVLOWAT, word(0)) == 0
    assert option(guest, fd, s.SO_RCVLOWAT) == word(1)
    assert set_option(guest, fd, s.SO_LINGER, struct.pack("<ii", 5, 9)) == 0
    assert option(guest, fd, s.SO_LINGER, 8) == struct.pack("<ii", 1, 9)
    assert option(guest, fd, s.SO_PEERCRED, 12) == struct.pack("<iII", 0, 0xFFFFFFFF, 0xFFFFFFFF)
    assert set_option(guest, fd, s.SO_RCVTIMEO, struct.pack("<qq", 1, 500_000)) == 0
    assert option(guest, fd, s.SO_RCVTIMEO, 16) == struct.pack("<qq", 1, 500_000)
    assert option(guest, fd, s.SO_SNDTIMEO, 16) == bytes(16)
    assert set_option(guest, fd, s.SO_SNDTIMEO, struct.pack("<qq", 0, 1_000_000)) == -EDOM
    assert set_option(guest, fd, s.SO_SNDTIMEO, word(1)) == -EINVAL
    assert set_option(guest, fd, s.SO_PASSCRED, b"") == -EINVAL
    assert set_option(guest, fd, s.SO_LINGER, word(1)) == -EINVAL
    assert guest.setsockopt(fd, s.SOL_SOCKET, s.SO_LINGER, guest.alloc(8), -1) == -EINVAL
    assert (
        guest.getsockopt(fd, s.SOL_SOCKET, s.SO_TYPE, guest.alloc(4), guest.alloc((-1 & 0xFFFFFFFF).to_bytes(4, "little")))
        == -EINVAL
    )
    assert option(guest, fd, 999) == -ENOPROTOOPT
    assert set_option(guest, fd, s.SO_TYPE, word(1)) == -ENOPROTOOPT
    assert option(guest, fd, 1, level=s.IPPROTO_TCP) == -EOPNOTSUPP
