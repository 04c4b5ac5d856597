"""Contents at their limits: the last page, the last descriptor, the largest offset, and what is given back afterwards."""

import os
import tempfile

import pytest

from sentry.fs.tmpfs.storage import FILE_MAX, SMALL_MAX, Storage, StoragePool
from sentry.kernel.limits import SandboxLimits
from sentry.mm.usermem import BytesSink, BytesSource
from syscalls.abi import errno as e
from syscalls.abi.errors import SyscallError

PAGE = 4096
LARGE = 2 * SMALL_MAX


def refused(errno, act, *args, **kwargs):
    try:
        act(*args, **kwargs)
    except SyscallError as error:  # not pytest.raises: what it keeps would keep the storage alive
        assert error.errno == errno
    else:
        pytest.fail("not refused")


def write(storage: Storage, data: bytes, offset: int) -> int:
    return storage.write(BytesSource(data), offset)


def read(storage: Storage, offset: int = 0, length: int = 1 << 20) -> bytes:
    sink = BytesSink(length)
    assert storage.read(sink, offset) == len(sink.data)
    return bytes(sink.data)


def filled(pool: StoragePool, length: int) -> Storage:
    storage = Storage(pool)
    assert write(storage, b"f" * length, 0) == length
    return storage


# (limit, length at first, offset and length of a further write, what it takes or an errno, bytes in use then)
WRITES = [
    (2 * PAGE, 0, 0, 2 * PAGE, 2 * PAGE, 2 * PAGE),  # the limit exactly
    (2 * PAGE, 0, 0, 2 * PAGE + 1, 2 * PAGE, 2 * PAGE),
    (2 * PAGE, PAGE, 4090, 3 * PAGE, 4102, 2 * PAGE),  # what is there already is not charged again
    (2 * PAGE, 2 * PAGE, 2 * PAGE - 1, 5, 1, 2 * PAGE),
    (2 * PAGE, 2 * PAGE, 2 * PAGE, 1, e.ENOSPC, 2 * PAGE),
    (2 * PAGE, 0, 3 * PAGE, 1, e.ENOSPC, 0),
    (10_000, 0, 0, 10_000, 2 * PAGE, 2 * PAGE),  # whole pages only
    (10_000, 0, 8191, 10, 1, 2 * PAGE),
    (10_000, 0, 8192, 10, e.ENOSPC, 0),
    (2 * PAGE, PAGE, 0, 0, 0, PAGE),  # nothing to write
    (LARGE, LARGE, LARGE - 10, 20, 10, LARGE),
    (LARGE, LARGE, LARGE, 1, e.ENOSPC, LARGE),
    (LARGE, LARGE, PAGE + 1, LARGE, LARGE - PAGE - 1, LARGE),
    (LARGE + PAGE, LARGE, LARGE - 1, 3 * PAGE, PAGE + 1, LARGE + PAGE),
    (LARGE + PAGE, LARGE, LARGE + 100, PAGE, PAGE - 100, LARGE + PAGE),
    (LARGE + PAGE, LARGE, 1 << 40, 3 * PAGE, PAGE, LARGE + PAGE),
    (LARGE + PAGE, LARGE, (1 << 40) + 4095, 3 * PAGE, 1, LARGE + PAGE),
    (LARGE + PAGE, LARGE + PAGE, (1 << 40), 1, e.ENOSPC, LARGE + PAGE),
    (LARGE + 2 * PAGE, LARGE, LARGE, 2 * PAGE, 2 * PAGE, LARGE + 2 * PAGE),
]


@pytest.mark.parametrize(("limit", "first", "offset", "length", "result", "used"), WRITES)
def test_a_write_takes_what_has_room(limit, first, offset, length, result, used):
    pool = StoragePool(bytes_max=limit)
    storage = filled(pool, first)
    if result == e.ENOSPC and length:
        refused(e.ENOSPC, write, storage, b"n" * length, offset)
        assert storage.size == first
    else:
        assert write(storage, b"n" * length, offset) == result
        assert read(storage, offset, length) == b"n" * result
        assert storage.size == max(first, offset + result if length else 0)
        assert read(storage, 0, min(first, offset)) == b"f" * min(first, offset)
    assert pool.bytes_used == used
    assert storage.blocks == used // 512
    del storage
    assert (pool.bytes_used, pool.fds_used) == (0, 0)


def test_the_largest_offset():
    storage = Storage(StoragePool())
    refused(e.EFBIG, write, storage, b"x", FILE_MAX)
    assert write(storage, b"last", FILE_MAX - 2) == 2
    assert storage.size == FILE_MAX
    assert read(storage, FILE_MAX - 2) == b"la"
    refused(e.EFBIG, storage.truncate, FILE_MAX + 1)
    storage.truncate(FILE_MAX)
    storage.truncate(0)
    assert read(storage) == b""


def test_small_is_up_to_the_boundary_and_not_beyond():
    pool = StoragePool()
    storage = filled(pool, SMALL_MAX)
    assert storage.backing is None
    storage.truncate(SMALL_MAX)
    assert (storage.backing, pool.fds_used) == (None, 0)
    write(storage, b"x", SMALL_MAX)
    assert storage.backing is not None
    assert pool.fds_used == 1
    assert read(storage, SMALL_MAX - 1) == b"fx"
    other = Storage(pool)
    other.truncate(SMALL_MAX + 1)
    assert other.backing is not None
    assert (other.size, other.blocks, pool.fds_used) == (SMALL_MAX + 1, 0, 2)
    other = Storage(pool)
    other.truncate(SMALL_MAX)
    assert (other.backing, pool.fds_used) == (None, 1)
    other.truncate(SMALL_MAX + 1)
    assert (other.size, pool.fds_used) == (SMALL_MAX + 1, 2)
    grown = Storage(pool)
    grown.grow(10)
    grown.grow(5)
    assert (grown.size, read(grown)) == (10, bytes(10))


def test_cutting_and_growing_shows_zeros():
    for length in (PAGE, LARGE):
        pool = StoragePool()
        storage = filled(pool, length)
        storage.truncate(5)
        assert pool.bytes_used == PAGE
        storage.truncate(length)
        assert read(storage) == b"fffff" + bytes(length - 5)
        assert storage.size == length


def test_growing_in_memory_is_charged_and_refused():
    pool = StoragePool(bytes_max=2 * PAGE, fds_max=0)
    storage = filled(pool, 10)
    storage.truncate(2 * PAGE)
    assert pool.bytes_used == 2 * PAGE
    refused(e.ENOSPC, storage.truncate, 2 * PAGE + 1)
    assert (storage.size, pool.bytes_used) == (2 * PAGE, 2 * PAGE)
    storage.truncate(1)
    assert pool.bytes_used == PAGE


def test_descriptors_are_counted_to_the_last():
    limits = SandboxLimits(host_files_max=3)
    pool = StoragePool(limits=limits, fds_max=2)
    first, second, third = (filled(pool, LARGE) for _ in range(3))
    assert [storage.backing is not None for storage in (first, second, third)] == [True, True, False]
    assert (pool.fds_used, limits.host_files_used) == (2, 2)
    elsewhere = StoragePool(limits=limits)
    assert filled(elsewhere, LARGE).backing is not None  # freed at once
    kept, not_kept = filled(elsewhere, LARGE), filled(elsewhere, LARGE)
    assert kept.backing is not None
    assert not_kept.backing is None
    assert limits.host_files_used == 3
    del first, kept
    assert (pool.fds_used, limits.host_files_used) == (1, 1)
    refused(e.ENOMEM, lambda: without_descriptors().host_fd(writable=True))
    assert read(third) == b"f" * LARGE


def without_descriptors() -> Storage:
    return Storage(StoragePool(fds_max=0))


def test_a_reader_s_descriptor_is_counted_once():
    pool = StoragePool()
    storage = filled(pool, 10)
    reader = storage.host_fd(writable=False)
    assert storage.host_fd(writable=False) == reader
    assert storage.backing != reader
    assert pool.fds_used == 2
    del storage
    assert pool.fds_used == 0


def test_a_host_that_gives_no_file():
    def none():
        raise SyscallError(e.EMFILE)

    pool = StoragePool(none)
    storage = filled(pool, LARGE)
    assert (storage.backing, pool.fds_used, len(read(storage))) == (None, 0, LARGE)
    storage.truncate(LARGE + 1)
    assert read(storage, LARGE - 1) == b"f\0"


@pytest.mark.parametrize(
    ("bytes_max", "limits", "room"),
    [
        (None, None, FILE_MAX),
        (5 * PAGE, None, 3 * PAGE),
        (PAGE, None, 0),
        (5 * PAGE, SandboxLimits(bytes_max=4 * PAGE), 4 * PAGE),
        (8 * PAGE, SandboxLimits(bytes_max=7 * PAGE, memory_max=3 * PAGE), 3 * PAGE),
        (8 * PAGE, SandboxLimits(bytes_max=3 * PAGE, memory_max=7 * PAGE), 3 * PAGE),
    ],
)
def test_room_is_the_smallest_limit(bytes_max, limits, room):
    pool = StoragePool(bytes_max=bytes_max, limits=limits)
    if limits is None:
        pool.bytes_used = 2 * PAGE if bytes_max is not None else 0
    assert pool.room() == room
    if limits is not None:
        pool.charge(PAGE)
        assert (pool.room(), limits.bytes_used) == (min(room, bytes_max) - PAGE, PAGE)
        refused(e.ENOSPC, pool.charge, room)
        assert (pool.bytes_used, limits.bytes_used) == (PAGE, PAGE)
        pool.charge(-PAGE)
        assert (pool.bytes_used, limits.bytes_used) == (0, 0)


def test_punching():
    for length in (3 * PAGE, LARGE):
        pool = StoragePool()
        storage = filled(pool, length)
        storage.punch(length, PAGE)  # at the end: nothing
        storage.punch(length + PAGE, PAGE)
        assert read(storage) == b"f" * length
        storage.punch(10, 5)
        storage.punch(length - 3, 100)
        assert storage.size == length
        assert read(storage) == b"f" * 10 + bytes(5) + b"f" * (length - 18) + bytes(3)
    storage.punch(PAGE, 2 * PAGE)
    assert pool.bytes_used == LARGE - 2 * PAGE
    assert storage.seek(0, hole=True) == PAGE
    assert storage.seek(PAGE, hole=False) == 3 * PAGE


def test_seeking_in_memory():
    storage = filled(StoragePool(), 10)
    assert storage.seek(0, hole=False) == 0
    assert storage.seek(9, hole=False) == 9
    assert storage.seek(9, hole=True) == 10
    for hole in (False, True):
        refused(e.ENXIO, storage.seek, 10, hole=hole)
        refused(e.ENXIO, storage.seek, -1, hole=hole)
    write(storage, b"x", LARGE)
    assert storage.seek(LARGE, hole=True) == LARGE + 1  # the last page is not longer than the file
    refused(e.ENXIO, storage.seek, LARGE + 1, hole=True)


def test_reserving():
    pool = StoragePool(bytes_max=LARGE + PAGE)
    storage = Storage(pool)
    storage.allocate(0, SMALL_MAX)
    assert (storage.backing, pool.bytes_used) == (None, 0)
    storage.allocate(0, SMALL_MAX + 1)
    assert (storage.size, pool.bytes_used) == (0, SMALL_MAX + PAGE)
    write(storage, b"w" * (SMALL_MAX + 1), 0)
    storage.allocate(10, SMALL_MAX)  # there already
    assert pool.bytes_used == SMALL_MAX + PAGE
    refused(e.ENOSPC, storage.allocate, 0, LARGE + PAGE + 1)
    assert pool.bytes_used == SMALL_MAX + PAGE
    storage.allocate(SMALL_MAX + PAGE, SMALL_MAX)
    assert pool.bytes_used == LARGE + PAGE


def test_a_writable_mapping_needs_room_for_every_page():
    pool = StoragePool(bytes_max=LARGE)
    storage = Storage(pool)
    storage.truncate(LARGE + 1)
    refused(e.ENOSPC, storage.host_fd, writable=True)
    assert os.pread(storage.host_fd(writable=False), 10, LARGE) == b"\0"
    storage.truncate(LARGE)
    storage.host_fd(writable=True)
    assert pool.bytes_used == LARGE


@pytest.mark.parametrize("length", [0, 1, SMALL_MAX, SMALL_MAX + 1, LARGE + 77])
def test_becoming_a_copy(length):
    data = os.urandom(length)
    pool = StoragePool()
    storage = Storage(pool)
    with tempfile.TemporaryFile() as source:
        source.write(data)
        source.flush()
        storage.fill_from_host(source.fileno(), length)
    assert (storage.size, read(storage)) == (length, data)
    assert (storage.backing is None) == (length <= SMALL_MAX)
    assert pool.bytes_used == (length + PAGE - 1) // PAGE * PAGE
    storage.fill(b"more")
    storage.fill(b"z" * SMALL_MAX)
    assert read(storage) == data + b"more" + b"z" * SMALL_MAX
    assert pool.bytes_used == (storage.size + PAGE - 1) // PAGE * PAGE
    storage.sync()


def test_a_copy_that_has_no_room():
    with tempfile.TemporaryFile() as source:
        source.write(bytes(LARGE))
        source.flush()
        refused(e.ENOMEM, without_descriptors().fill_from_host, source.fileno(), LARGE)
        for length in (PAGE + 1, SMALL_MAX + 1):
            pool = StoragePool(bytes_max=PAGE)
            refused(e.ENOSPC, Storage(pool).fill_from_host, source.fileno(), length)
            assert (pool.bytes_used, pool.fds_used) == (0, 0)
        short = Storage(StoragePool())
        short.fill_from_host(source.fileno(), LARGE)
        assert short.size == LARGE
    with tempfile.TemporaryFile() as source:
        source.write(b"only this")
        source.flush()
        short = Storage(StoragePool())
        short.fill_from_host(source.fileno(), 100)
        assert read(short) == b"only this"
