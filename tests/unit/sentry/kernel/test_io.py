"""The I/O layer over regular files, and the calls on descriptors: offsets, appending, limits, dup, close, poll, select."""

import struct
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from guest_world import BASE, Guest, World

from sentry.sched.wait import Restart
from sentry.vfs.file import FileDescription
from sentry.vfs.inode import FileSystem, Inode
from sentry.vfs.stat import Attr
from syscalls.abi.errno import EBADF, EFAULT, EFBIG, EINVAL, EMFILE, EOPNOTSUPP, ESPIPE
from syscalls.abi.fcntl import (
    CLOSE_RANGE_CLOEXEC,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GETFD,
    F_GETFL,
    F_SETFD,
    F_SETFL,
    O_APPEND,
    O_CLOEXEC,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
    RWF_APPEND,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
)
from syscalls.abi.ioctl import FIOCLEX, FIONBIO, FIONREAD
from syscalls.abi.poll import POLLFD, POLLHUP, POLLIN, POLLNVAL, POLLOUT
from syscalls.abi.resource import RLIMIT_FSIZE
from syscalls.abi.signal import SIGXFSZ
from syscalls.abi.stat import S_IFREG
from syscalls.args import PROCEED


class MemoryFile(FileDescription):
    """A regular file in a bytearray."""

    __slots__ = ("data", "is_remote")

    is_seekable = True

    def __init__(self, flags: int, data: bytes = b"", *, is_remote: bool = False) -> None:
        super().__init__(Inode(FileSystem(1), Attr(1, S_IFREG | 0o600, size=len(data))), flags)
        self.data = bytearray(data)
        self.is_remote = is_remote

    def try_read(self, sink: Any, offset: int) -> int | None:
        return int(sink.put(self.data[offset : offset + sink.remaining]))

    def try_write(self, source: Any, offset: int) -> int | None:
        data = source.take(source.remaining)
        at = len(self.data) if offset < 0 else offset
        self.data[at : at + len(data)] = data
        self.inode.attr.size = len(self.data)
        return len(data)

    async def seek_data(self, offset: int, *, hole: bool) -> int:
        return len(self.data) if hole else offset

    async def read_remote(self, sink: Any, offset: int) -> int:
        return self.try_read(sink, offset) or 0

    async def write_remote(self, source: Any, offset: int) -> int:
        return self.try_write(source, offset) or 0


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def guest(world: World) -> Guest:
    return world.guest()


def install(guest: Guest, file: FileDescription) -> int:
    return int(guest.task.fds.install(file))


@pytest.mark.parametrize("is_remote", [False, True])
def test_offsets_move_and_positional_calls_leave_them(guest: Guest, is_remote: bool) -> None:
    fd = install(guest, MemoryFile(O_RDWR, b"0123456789", is_remote=is_remote))
    addr = guest.alloc(16)
    assert guest.get(fd, 4) == b"0123"
    assert guest.pread64(fd, addr, 2, 8) == 2
    assert guest.peek(addr, 2) == b"89"
    assert guest.put(fd, b"ab") == 2
    assert guest.lseek(fd, 0, SEEK_CUR) == 6
    assert guest.lseek(fd, -1, SEEK_END) == 9
    assert guest.get(fd, 10) == b"9"
    assert guest.get(fd, 10) == b""
    assert guest.lseek(fd, 3, SEEK_DATA) == 3
    assert guest.lseek(fd, 3, SEEK_HOLE) == 10
    assert guest.lseek(fd, -1, SEEK_SET) == -EINVAL
    assert guest.lseek(fd, 0, 9) == -EINVAL
    assert guest.pread64(fd, addr, 1, -1) == -EINVAL


@pytest.mark.parametrize("is_remote", [False, True])
def test_appending(guest: Guest, is_remote: bool) -> None:
    file = MemoryFile(O_WRONLY | O_APPEND, b"abc", is_remote=is_remote)
    fd = install(guest, file)
    assert guest.put(fd, b"def") == 3
    assert guest.lseek(fd, 0, SEEK_CUR) == 6
    assert guest.pwrite64(fd, guest.alloc(b"g"), 1, 0) == 1  # pwrite(2), BUGS
    assert file.data == b"abcdefg"
    guest.fcntl(fd, F_SETFL, 0)
    iov = guest.alloc(struct.pack("<QQ", guest.alloc(b"h"), 1))
    assert guest.pwritev2(fd, iov, 1, 0, 0, RWF_APPEND) == 1
    assert file.data == b"abcdefgh"
    assert guest.pwritev2(fd, iov, 1, 0, 0, 0x1000) == -EOPNOTSUPP


def test_scattered_buffers(guest: Guest) -> None:
    fd = install(guest, MemoryFile(O_RDWR, b"0123456789"))
    parts = [guest.alloc(3), guest.alloc(4)]
    iov = guest.alloc(struct.pack("<QQQQ", parts[0], 3, parts[1], 4))
    assert guest.readv(fd, iov, 2) == 7
    assert guest.peek(parts[0], 3) + guest.peek(parts[1], 4) == b"0123456"
    assert guest.readv(fd, iov, 1025) == -EINVAL
    assert guest.readv(fd, 0x10, 1) == -EFAULT


def test_the_file_size_limit(world: World, guest: Guest) -> None:
    fd = install(guest, MemoryFile(O_WRONLY))
    guest.task.group.limits[RLIMIT_FSIZE] = (5, 5)
    assert guest.put(fd, b"1234567") == 5
    assert world.signals.sent == []
    assert guest.put(fd, b"8") == -EFBIG
    assert world.signals.sent == [(guest.task, SIGXFSZ)]


def test_access_modes_and_addresses(guest: Guest) -> None:
    fd = install(guest, MemoryFile(O_RDONLY, b"x"))
    assert guest.put(fd, b"x") == -EBADF
    assert guest.read(fd, 0x7FFFFFFFF000, 1) == -EFAULT
    assert guest.read(fd, BASE, -1) == -EFAULT
    assert guest.read(99, BASE, 1) == -EBADF
    reader, _ = guest.pipe_pair()
    assert guest.pread64(reader, BASE, 1, 0) == -ESPIPE
    assert guest.lseek(reader, 0, SEEK_CUR) == -ESPIPE


def test_numbers(guest: Guest) -> None:
    fd = install(guest, MemoryFile(O_RDWR | O_NONBLOCK, b"shared"))
    assert guest.dup(fd) == 1
    assert guest.dup2(fd, 9) == 9
    assert guest.dup2(fd, fd) == fd
    assert guest.dup3(fd, fd, 0) == -EINVAL
    assert guest.dup3(fd, 5, O_CLOEXEC) == 5
    assert guest.fcntl(5, F_GETFD, 0) == 1
    assert guest.fcntl(9, F_GETFD, 0) == 0
    assert guest.fcntl(fd, F_DUPFD, 4) == 4
    assert guest.fcntl(fd, F_DUPFD_CLOEXEC, 4) == 6
    assert [guest.fcntl(number, F_GETFD, 0) for number in (4, 6)] == [0, 1]
    assert guest.fcntl(fd, F_DUPFD, 1024) == -EINVAL
    assert guest.dup2(fd, 1024) == -EBADF
    assert guest.dup2(77, 3) == -EBADF
    assert guest.close(9) == 0
    assert guest.close(9) == -EBADF
    assert guest.dup(fd) == 2
    assert guest.get(1, 3) == b"sha"
    assert guest.get(fd, 3) == b"red"
    assert guest.fcntl(1, F_GETFL, 0) == O_RDWR | O_NONBLOCK
    assert guest.fcntl(6, F_SETFD, 0) == 0
    assert guest.fcntl(6, F_GETFD, 0) == 0
    assert guest.fcntl(6, F_SETFD, 1) == 0
    assert guest.fcntl(6, F_GETFD, 0) == 1
    guest.task.fds.limit = 3
    assert guest.dup(fd) == -EMFILE


def test_the_lowest_number_is_found_after_a_high_one_was_closed(guest: Guest) -> None:
    fd = install(guest, MemoryFile(O_RDWR))
    guest.dup2(fd, 100)
    guest.close(100)
    assert guest.dup(fd) == 1


def test_closing_a_number_with_a_copy_in_the_host(guest: Guest) -> None:
    fds = guest.task.fds
    numbers = [install(guest, MemoryFile(O_RDWR)) for _ in range(4)]
    fds.host_copies.update((0, 1, 2))
    assert guest.close(0) is PROCEED
    assert guest.dup2(numbers[3], 1) == 1
    assert fds.host_copies == {2}
    assert fds.stale_copies == {1}
    assert guest.close_range(1, 2, 0) is PROCEED
    assert not fds.host_copies
    assert not fds.stale_copies
    fds.stale_copies.add(3)
    fds.host_copies.add(3)
    assert guest.dup2(guest.eventfd(0), 7) == 7
    assert guest.dup2(7, 3) == 3
    fds.host_copies.add(3)  # a mapping has replaced the stale copy
    assert guest.close(3) is PROCEED
    assert guest.dup2(7, 3) == 3
    assert guest.close(3) == 0
    assert guest.dup2(7, 3) == 3
    fds.host_copies.add(3)
    assert guest.close_range(0, 0xFFFFFFFF, 0) == 0  # never the platform's own descriptors beyond the limit
    assert fds.stale_copies == {3}
    assert len(fds) == 0


def test_close_range_marks(guest: Guest) -> None:
    numbers = [install(guest, MemoryFile(O_RDWR)) for _ in range(3)]
    assert guest.close_range(1, 50, CLOSE_RANGE_CLOEXEC) == 0
    assert [guest.fcntl(fd, F_GETFD, 0) for fd in numbers] == [0, 1, 1]
    assert guest.close_range(2, 1, 0) == -EINVAL
    assert guest.close_range(0, 1, 8) == -EINVAL


def test_requests_that_all_descriptors_share(guest: Guest) -> None:
    fd = install(guest, MemoryFile(O_RDWR, b"abc"))
    guest.get(fd, 1)
    addr = guest.alloc((1).to_bytes(4, "little"))
    assert guest.ioctl(fd, FIONBIO, addr) == 0
    assert guest.fcntl(fd, F_GETFL, 0) == O_RDWR | O_NONBLOCK
    assert guest.ioctl(fd, FIOCLEX, 0) == 0
    assert guest.fcntl(fd, F_GETFD, 0) == 1
    assert guest.ioctl(fd, FIONREAD, addr) == 0
    assert guest.words(addr, 1) == [2]


def test_poll_reports_all_kinds(guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    regular = install(guest, MemoryFile(O_RDWR))
    guest.put(writer, b"x")
    guest.close(writer)
    rows = [(reader, POLLIN, 0xFF), (regular, POLLIN | POLLOUT, 0), (-1, POLLIN, 0xFF), (99, 0, 0)]
    addr = guest.alloc(b"".join(POLLFD.pack(*row) for row in rows))
    assert guest.poll(addr, 4, -1) == 3
    found = [POLLFD.unpack_from(guest.peek(addr, 32), at * 8)[2] for at in range(4)]
    assert found == [POLLIN | POLLHUP, POLLIN | POLLOUT, 0, POLLNVAL]


def test_poll_waits_for_an_event_for_time_or_for_a_signal(world: World, guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    addr = guest.alloc(POLLFD.pack(reader, POLLIN, 0))
    peer = world.guest()
    peer.task.fds = guest.task.fds
    guest.begin("poll", addr, 1, -1)
    peer.put(writer, b"x")
    world.run()
    assert guest.outcomes.pop() == 1
    peer.get(reader, 1)
    guest.begin("poll", addr, 1, 5)
    world.run(5_000_000)
    assert guest.outcomes.pop() == 0
    guest.begin("poll", addr, 1, 5)
    guest.task.fiber.interrupt()
    world.run()
    assert guest.outcomes == [Restart.NOHAND]
    assert not reader_queue(guest, reader)


def reader_queue(guest: Guest, fd: int) -> bool:
    return bool(guest.task.fds.get(fd).queue)


def test_ppoll_stores_the_time_left(world: World, guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    addr = guest.alloc(POLLFD.pack(reader, POLLIN, 0))
    timeout = guest.alloc(struct.pack("<qq", 2, 5))
    guest.begin("ppoll", addr, 1, timeout, 0, 0)
    peer = world.guest()
    peer.task.fds = guest.task.fds
    world.run(1_000_000_000)
    peer.put(writer, b"x")
    world.run()
    assert guest.outcomes == [1]
    assert struct.unpack("<qq", guest.peek(timeout, 16)) == (1, 5)
    assert guest.ppoll(addr, 1, guest.alloc(struct.pack("<qq", 0, 10**9)), 0, 0) == -EINVAL


def test_select_sets(world: World, guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    sets = [guest.alloc((1 << fd).to_bytes(8, "little")) for fd in (reader, writer)]
    assert guest.select(8, sets[0], sets[1], 0, 0) == 1
    assert [guest.peek(addr, 8) for addr in sets] == [bytes(8), (1 << writer).to_bytes(8, "little")]
    guest.ram.write(sets[0], (1 << reader).to_bytes(8, "little"))
    guest.begin("select", 8, sets[0], 0, 0, guest.alloc(struct.pack("<qq", 1, 0)))
    world.run(10**9)
    assert guest.outcomes.pop() == 0
    assert guest.peek(sets[0], 8) == bytes(8)
    guest.ram.write(sets[0], (1 << 40).to_bytes(8, "little"))
    assert guest.select(64, sets[0], 0, 0, 0) == -EBADF
    assert guest.select(-1, 0, 0, 0, 0) == -EINVAL
    assert guest.select(0, 0, 0, 0, guest.alloc(16)) == 0
