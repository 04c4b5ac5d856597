"""Contents in memory and in host files: limits, sparse files, mappings, descriptors."""

import os

import pytest

from sentry.fs.tmpfs.storage import SMALL_MAX, Storage, StoragePool
from sentry.kernel.limits import SandboxLimits
from sentry.mm.usermem import BytesSink, BytesSource
from syscalls.abi import errno as e
from syscalls.abi.errors import SyscallError

PAGE = 4096


def read(storage: Storage, offset: int, length: int) -> bytes:
    sink = BytesSink(length)
    storage.read(sink, offset)
    return bytes(sink.data)


def test_small_contents_use_no_descriptor():
    pool = StoragePool()
    storage = Storage(pool)
    assert storage.write(BytesSource(b"hello"), 0) == 5
    assert storage.write(BytesSource(b"!"), 10) == 1
    assert read(storage, 0, 100) == b"hello\0\0\0\0\0!"
    assert (pool.fds_used, pool.bytes_used, storage.blocks) == (0, PAGE, 8)


def test_large_contents_move_to_a_host_file_and_back_to_nothing():
    pool = StoragePool()
    storage = Storage(pool)
    storage.write(BytesSource(b"abc"), 0)
    storage.write(BytesSource(b"x" * SMALL_MAX), 3)
    assert pool.fds_used == 1
    assert read(storage, 1, 4) == b"bcxx"
    assert pool.bytes_used == SMALL_MAX + PAGE
    storage.truncate(10)
    assert pool.bytes_used == PAGE
    del storage
    assert (pool.fds_used, pool.bytes_used) == (0, 0)


def test_sparse_files_cost_what_they_hold():
    pool = StoragePool(bytes_max=1 << 20)
    storage = Storage(pool)
    storage.write(BytesSource(b"end"), 1 << 30)
    assert storage.size == (1 << 30) + 3
    assert pool.bytes_used == PAGE
    assert storage.seek(0, hole=False) == 1 << 30
    assert storage.seek(0, hole=True) == 0
    with pytest.raises(SyscallError) as caught:
        storage.seek(1 << 31, hole=False)
    assert caught.value.errno == e.ENXIO
    storage.punch(1 << 30, PAGE)
    assert (pool.bytes_used, storage.size) == (0, (1 << 30) + 3)


@pytest.mark.parametrize("size", [SMALL_MAX, 1 << 20])
def test_the_limit_gives_a_short_write_then_enospc(size):
    pool = StoragePool(bytes_max=size)
    storage = Storage(pool)
    assert storage.write(BytesSource(b"z" * (size + 5000)), 0) == size
    with pytest.raises(SyscallError) as caught:
        storage.write(BytesSource(b"z"), size)
    assert caught.value.errno == e.ENOSPC
    assert storage.write(BytesSource(b"over"), 100) == 4
    assert read(storage, 99, 6) == b"zoverz"


def test_the_sandbox_is_charged_too():
    limits = SandboxLimits(bytes_max=3 * PAGE)
    first, second = Storage(StoragePool(limits=limits)), Storage(StoragePool(limits=limits))
    first.write(BytesSource(b"a" * 2 * PAGE), 0)
    assert second.write(BytesSource(b"b" * 2 * PAGE), 0) == PAGE
    del first
    assert limits.bytes_used == PAGE
    assert second.write(BytesSource(b"b" * 2 * PAGE), PAGE) == 2 * PAGE


def test_allocate_reserves_and_keeps_the_size():
    pool = StoragePool(bytes_max=1 << 20)
    storage = Storage(pool)
    storage.allocate(0, 512 << 10)
    assert (storage.size, pool.bytes_used) == (0, 512 << 10)
    with pytest.raises(SyscallError):
        storage.allocate(0, 2 << 20)


def test_without_descriptors_contents_stay_in_memory():
    pool = StoragePool(fds_max=0)
    storage = Storage(pool)
    storage.write(BytesSource(b"q" * 200_000), 0)
    assert read(storage, 199_999, 5) == b"q"
    with pytest.raises(SyscallError) as caught:
        storage.host_fd(writable=False)
    assert caught.value.errno == e.ENOMEM


def test_a_reader_is_mapped_read_only_and_sees_writes():
    storage = Storage(StoragePool())
    storage.write(BytesSource(b"one"), 0)
    reader, writer = storage.host_fd(writable=False), storage.host_fd(writable=True)
    assert os.pread(reader, 3, 0) == b"one"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.pwrite(reader, b"bad", 0)
    os.pwrite(writer, b"two", 0)
    assert read(storage, 0, 3) == b"two"
    assert os.pread(reader, 3, 0) == b"two"


def test_a_writable_mapping_is_charged_in_full():
    pool = StoragePool(bytes_max=1 << 20)
    storage = Storage(pool)
    storage.truncate(512 << 10)
    assert pool.bytes_used == 0
    storage.host_fd(writable=True)
    assert pool.bytes_used == 512 << 10


def test_contents_in_a_directory_of_the_caller(tmp_path):
    from sentry.host import regular_file

    directory = regular_file.open_directory(os.fsencode(tmp_path))
    pool = StoragePool(lambda: regular_file.unlinked_file(directory))
    storage = Storage(pool)
    storage.write(BytesSource(b"d" * 100_000), 0)
    assert read(storage, 99_990, 100) == b"d" * 10
    assert list(tmp_path.iterdir()) == []
    regular_file.close(directory)
