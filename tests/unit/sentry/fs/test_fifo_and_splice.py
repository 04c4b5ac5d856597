"""FIFOs meet their other side; splice, tee, sendfile and vmsplice move bytes and lose none."""

import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from guest_world import BASE, Guest, World

from sentry.fs.pipe.fifo import open_fifo
from sentry.vfs.file import FileDescription
from sentry.vfs.inode import FileSystem, Inode
from sentry.vfs.stat import Attr
from syscalls.abi.errno import EAGAIN, EBADF, EINVAL, ENXIO, EPIPE, ESPIPE
from syscalls.abi.fcntl import F_GETFL, O_CREAT, O_NOCTTY, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY, SPLICE_F_NONBLOCK
from syscalls.abi.poll import POLLFD, POLLHUP, POLLIN
from syscalls.abi.signal import SIGPIPE
from syscalls.abi.stat import S_IFIFO, S_IFREG


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def guest(world: World) -> Guest:
    return world.guest()


@pytest.fixture
def fifo() -> Inode:
    return Inode(FileSystem(1), Attr(1, S_IFIFO | 0o600))


class DataFile(FileDescription):
    """A regular file in a bytearray."""

    __slots__ = ("data",)

    is_seekable = True

    def __init__(self, data: bytes) -> None:
        super().__init__(Inode(FileSystem(1), Attr(1, S_IFREG | 0o600, size=len(data))), O_RDWR)
        self.data = bytearray(data)

    def try_read(self, sink: Any, offset: int) -> int | None:
        return int(sink.put(self.data[offset : offset + sink.remaining]))

    def try_write(self, source: Any, offset: int) -> int | None:
        data = source.take(source.remaining)
        self.data[offset : offset + len(data)] = data
        return len(data)


def begin_open(guest: Guest, fifo: Inode, flags: int) -> None:
    context: Any = SimpleNamespace(task=guest.task, flags=flags, path=None)
    guest.task.fiber.start(open_fifo(fifo, context))


def opened(guest: Guest, fifo: Inode, flags: int) -> int:
    begin_open(guest, fifo, flags)
    return int(guest.task.fds.install(guest.outcomes.pop()))


@pytest.mark.parametrize(("first", "second"), [(O_RDONLY, O_WRONLY), (O_WRONLY, O_RDONLY)])
def test_an_open_waits_for_the_other_side(world: World, guest: Guest, fifo: Inode, first: int, second: int) -> None:
    peer = world.guest()
    begin_open(guest, fifo, first)
    assert guest.is_waiting
    begin_open(peer, fifo, second)
    assert not peer.is_waiting
    world.run()
    assert not guest.is_waiting


def test_an_open_sees_a_side_that_came_and_went(world: World, guest: Guest, fifo: Inode) -> None:
    peer = world.guest()
    begin_open(guest, fifo, O_RDONLY)
    fd = opened(peer, fifo, O_WRONLY)
    peer.close(fd)
    world.run()
    assert not guest.is_waiting
    reader = guest.task.fds.install(guest.outcomes.pop())
    assert guest.get(reader, 1) == b""


def test_opening_without_waiting(guest: Guest, fifo: Inode) -> None:
    begin_open(guest, fifo, O_WRONLY | O_NONBLOCK)
    assert guest.outcomes.pop() == -ENXIO
    assert guest.task.kernel.limits.bytes_used == 0
    reader = opened(guest, fifo, O_RDONLY | O_NONBLOCK)
    addr = guest.alloc(POLLFD.pack(reader, POLLIN, 0))
    assert guest.poll(addr, 1, 0) == 0  # no hang-up before the first writer
    writer = opened(guest, fifo, O_WRONLY | O_NONBLOCK)
    assert guest.put(writer, b"x") == 1
    assert guest.get(reader, 2) == b"x"
    guest.close(writer)
    assert guest.poll(addr, 1, 0) == 1
    assert POLLFD.unpack(guest.peek(addr, 8))[2] == POLLHUP
    both = opened(guest, fifo, O_RDWR | O_CREAT | O_NOCTTY)
    assert guest.fcntl(both, F_GETFL, 0) == O_RDWR
    assert guest.put(both, b"y") == 1
    assert guest.get(both, 1) == b"y"


def test_an_interrupted_open_leaves_nothing(world: World, guest: Guest, fifo: Inode) -> None:
    begin_open(guest, fifo, O_RDONLY)
    guest.task.fiber.interrupt()
    world.run()
    assert guest.outcomes.pop() == 512
    begin_open(guest, fifo, O_WRONLY | O_NONBLOCK)
    assert guest.outcomes == [-ENXIO]


def test_sendfile_moves_the_offset_it_was_given(guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    fd = guest.task.fds.install(DataFile(b"0123456789"))
    at = guest.alloc(struct.pack("<Q", 3))
    assert guest.sendfile(writer, fd, at, 4) == 4
    assert struct.unpack("<Q", guest.peek(at, 8)) == (7,)
    assert guest.sendfile(writer, fd, 0, 100) == 10
    assert guest.lseek(fd, 0, 1) == 10
    assert guest.get(reader, 100) == b"34560123456789"
    assert guest.sendfile(writer, reader, 0, 1) == -EINVAL
    assert guest.sendfile(fd, reader, at, 1) == -ESPIPE


def test_sendfile_returns_what_a_full_pipe_took(guest: Guest) -> None:
    _, writer = guest.pipe_pair(O_NONBLOCK)
    fd = guest.task.fds.install(DataFile(bytes(200_000)))
    assert guest.sendfile(writer, fd, 0, 200_000) == 65_536
    assert guest.lseek(fd, 0, 1) == 65_536
    assert guest.sendfile(writer, fd, 0, 200_000) == -EAGAIN


def test_splice_from_a_pipe_to_a_file_and_back(guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    file = DataFile(b"")
    fd = guest.task.fds.install(file)
    guest.put(writer, b"hello")
    assert guest.splice(reader, 0, fd, 0, 3, 0) == 3
    assert file.data == b"hel"
    at = guest.alloc(struct.pack("<Q", 1))
    assert guest.splice(fd, at, writer, 0, 10, 0) == 2
    assert struct.unpack("<Q", guest.peek(at, 8)) == (3,)
    assert guest.get(reader, 10) == b"loel"


def test_what_the_other_side_does_not_take_goes_back(guest: Guest) -> None:
    reader, writer = guest.pipe_pair(O_NONBLOCK)
    other_reader, other_writer = guest.pipe_pair(O_NONBLOCK)
    guest.write(other_writer, BASE, 65_536 - 4096)
    guest.put(writer, b"a" * 3000 + b"b" * 3000)
    guest.get(reader, 1)
    assert guest.splice(reader, 0, other_writer, 0, 6000, 0) == 4096
    assert guest.get(reader, 9000) == b"b" * (5999 - 4096)
    assert guest.splice(reader, 0, other_writer, 0, 6000, 0) == -EAGAIN
    assert guest.get(other_reader, 70_000)[-4096:] == b"a" * 2999 + b"b" * 1097


def test_a_part_that_was_moved_hides_what_comes_after(world: World, guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    _, target = guest.pipe_pair()
    guest.put(writer, b"abc")
    assert guest.splice(reader, 0, target, 0, 100, 0) == 3  # more is wanted; what is there is enough
    sink_reader, sink = guest.pipe_pair()
    guest.close(sink_reader)
    guest.put(writer, b"abc")
    assert guest.splice(reader, 0, sink, 0, 100, 0) == -EPIPE
    assert guest.get(reader, 10) == b"abc"


def test_splice_waits_and_ends(world: World, guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    _, target = guest.pipe_pair()
    assert guest.splice(reader, 0, target, 0, 10, SPLICE_F_NONBLOCK) == -EAGAIN
    peer = world.guest()
    peer.task.fds = guest.task.fds
    guest.begin("splice", reader, 0, target, 0, 10, 0)
    peer.put(writer, b"abc")
    world.run()
    assert guest.outcomes.pop() == 3
    peer.close(writer)
    assert guest.splice(reader, 0, target, 0, 10, 0) == 0


def test_splice_refuses(guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    fd = guest.task.fds.install(DataFile(b"x"))
    at = guest.alloc(8)
    assert guest.splice(fd, 0, fd, 0, 1, 0) == -EINVAL
    assert guest.splice(reader, at, fd, 0, 1, 0) == -ESPIPE
    assert guest.splice(reader, 0, writer, 0, 1, 0) == -EINVAL
    assert guest.splice(writer, 0, fd, 0, 1, 0) == -EBADF
    assert guest.splice(fd, 0, writer, 0, 1, 0x10) == -EINVAL
    guest.close(reader)
    assert guest.splice(fd, 0, writer, 0, 1, 0) == -EPIPE
    assert guest.world.signals.sent == [(guest.task, SIGPIPE)]


def test_tee_copies(guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    other_reader, other_writer = guest.pipe_pair()
    guest.put(writer, b"abc")
    assert guest.tee(reader, other_writer, 2, 0) == 2
    assert guest.get(other_reader, 9) == b"ab"
    assert guest.get(reader, 9) == b"abc"
    assert guest.tee(reader, other_writer, 2, SPLICE_F_NONBLOCK) == -EAGAIN
    assert guest.tee(reader, writer, 2, 0) == -EINVAL


def test_vmsplice(guest: Guest) -> None:
    reader, writer = guest.pipe_pair()
    iov = guest.alloc(struct.pack("<QQ", guest.alloc(b"memory"), 6))
    assert guest.vmsplice(writer, iov, 1, 0) == 6
    assert guest.vmsplice(reader, iov, 1, 0) == 6
    assert guest.vmsplice(guest.task.fds.install(DataFile(b"")), iov, 1, 0) == -EBADF
