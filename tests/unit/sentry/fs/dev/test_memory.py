"""/dev: nodes, links, and the memory devices."""

import os

import pytest

from sentry.mm.usermem import BytesSink, BytesSource
from sentry.vfs import namespace
from sentry.vfs.mount import make_dev
from syscalls.abi.errno import ENODEV, ENOSPC, ENXIO
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.fs.synthetic_world import AT_FDCWD, BASE, World


@pytest.fixture
def world() -> World:
    return World()


def read(file, length: int) -> bytes:
    sink = BytesSink(length)
    assert file.try_read(sink, 0) == len(sink.data)
    return bytes(sink.data)


def test_nodes(world: World) -> None:
    numbers = {b"null": (1, 3), b"zero": (1, 5), b"full": (1, 7), b"random": (1, 8), b"urandom": (1, 9), b"tty": (5, 0)}
    for name, (major, minor) in numbers.items():
        attr = world.run(namespace.stat_path(world.init, AT_FDCWD, b"/dev/" + name, 0))
        assert (attr.mode, attr.rdev) == (0o20666, make_dev(major, minor))
    assert world.readlink(b"/dev/ptmx") == b"pts/ptmx"
    assert world.readlink(b"/dev/fd") == b"/proc/self/fd"


def test_null(world: World) -> None:
    null = world.open(b"/dev/null", 2)
    assert read(null, 10) == b""
    source = BytesSource(b"abc")
    assert null.try_write(source, 0) == 3
    assert source.remaining == 0


def test_zero_and_full(world: World) -> None:
    zero = world.open(b"/dev/zero", 2)
    assert read(zero, 100_000) == bytes(100_000)
    full = world.open(b"/dev/full", 2)
    assert read(full, 3) == bytes(3)
    with pytest.raises(SyscallError) as caught:
        full.try_write(BytesSource(b"x"), 0)
    assert caught.value.errno == ENOSPC


def test_zero_can_be_mapped_and_full_cannot(world: World) -> None:
    zero = world.open(b"/dev/zero", 2)
    fd = world.run(zero.mapping_fd(writable=True, shared=True))
    assert world.run(zero.mapping_fd(writable=True, shared=True)) == fd
    assert os.pread(fd, 4, 1 << 30) == bytes(4)
    world.kernel.limits.host_files_max = world.kernel.limits.host_files_used
    with pytest.raises(SyscallError, match="ENFILE"):
        world.run(world.open(b"/dev/zero", 2).mapping_fd(writable=True, shared=True))
    zero.release()
    assert world.kernel.limits.host_files_used == 0
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    with pytest.raises(SyscallError) as caught:
        world.run(world.open(b"/dev/full").mapping_fd(writable=False, shared=False))
    assert caught.value.errno == ENODEV


def test_random(world: World) -> None:
    random = world.open(b"/dev/urandom", 2)
    assert len(read(random, 10_000)) == 10_000
    assert read(random, 16) != read(random, 16)
    assert random.try_write(BytesSource(b"seed"), 0) == 4
    assert random.ioctl(world.init, 0x80045200, BASE) == 0
    assert world.init.memory.read_u32(BASE) == 256


def test_no_terminal_no_dev_tty(world: World) -> None:
    with pytest.raises(SyscallError) as caught:
        world.open(b"/dev/tty", 2)
    assert caught.value.errno == ENXIO


def test_root_may_make_nodes_and_unknown_drivers_are_absent(world: World) -> None:
    world.run(namespace.mknod_at(world.init, AT_FDCWD, b"/dev/mine", 0o20600, make_dev(1, 3)))
    assert read(world.open(b"/dev/mine"), 5) == b""
    world.run(namespace.mknod_at(world.init, AT_FDCWD, b"/dev/mem", 0o20600, make_dev(1, 1)))
    with pytest.raises(SyscallError) as caught:
        world.open(b"/dev/mem")
    assert caught.value.errno == ENXIO
