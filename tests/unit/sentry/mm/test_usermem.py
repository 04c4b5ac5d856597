"""Moves between the sentry and a guest's memory: how much goes, where it stops, and when it is EFAULT (read(2), readv(2))."""

import os
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.mm import remote
from sentry.mm.usermem import IOV_MAX, MAX_RW_COUNT, BytesSink, BytesSource, UserMemory
from sentry.platform.fake import FakeMemory
from syscalls.abi.errno import EFAULT, EINVAL, ENAMETOOLONG
from syscalls.abi.errors import SyscallError

PAGE = 4096
HOLE = 0x90000000


class Bench:
    """Two pages at BASE, nothing behind them."""

    BASE = 0x10000
    END = BASE + 2 * PAGE

    def __init__(self) -> None:
        self.guest = FakeMemory()
        self.guest.map(self.BASE, 2 * PAGE)
        self.memory = UserMemory(self.guest)

    def iovec(self, *segments: tuple[int, int]) -> int:
        return self.guest.poke(0x50000, b"".join(struct.pack("<QQ", *one) for one in segments))


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def host_file() -> Iterator[int]:
    fd = os.memfd_create("x", os.MFD_CLOEXEC)
    os.write(fd, bytes(range(256)) * 64)
    yield fd
    os.close(fd)


def errno_of(call: object, *arguments: object) -> int:
    with pytest.raises(SyscallError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.errno


def test_words_are_little_endian_and_stored_modulo_their_size(bench: Bench) -> None:
    memory, at = bench.memory, bench.BASE
    memory.write_u64(at, -2)
    assert memory.read_u64(at) == (1 << 64) - 2
    assert (memory.read_u32(at), memory.read_i32(at)) == ((1 << 32) - 2, -2)
    memory.write_u32(at, (7 << 32) | 5)
    assert memory.read(at, 8) == b"\x05\0\0\0\xff\xff\xff\xff"
    assert memory.read_struct(struct.Struct("<Ii"), at) == (5, -1)
    assert errno_of(memory.read_u64, bench.END - 4) == EFAULT
    assert errno_of(memory.write_u32, bench.END - 2, 0) == EFAULT


def test_a_path_ends_with_its_nul_within_4096_bytes(bench: Bench) -> None:
    bench.guest.write(bench.BASE, b"/tmp\0rest")
    assert bench.memory.read_path(bench.BASE) == b"/tmp"
    bench.guest.write(bench.BASE, b"x" * 4095 + b"\0")
    assert len(bench.memory.read_path(bench.BASE)) == 4095
    bench.guest.write(bench.BASE, b"x" * 4097)
    assert errno_of(bench.memory.read_path, bench.BASE) == ENAMETOOLONG
    bench.guest.write(bench.END - 4, b"abcd")
    assert errno_of(bench.memory.read_path, bench.END - 4) == EFAULT


@pytest.mark.parametrize("is_vector", [False, True])
def test_what_memory_takes_is_stored_and_counted(bench: Bench, is_vector: bool) -> None:
    at = bench.END - 5
    sink = bench.memory.sink_iovec(bench.iovec((at, 100)), 1) if is_vector else bench.memory.sink(at, 100)
    assert sink.put(b"abc") == 3
    assert sink.remaining == 97
    assert sink.put(b"defg") == 2  # memory ends
    assert bench.guest.read(at, 5) == b"abcde"
    assert errno_of(sink.put, b"h") == EFAULT
    assert sink.put(b"") == 0


@pytest.mark.parametrize("is_vector", [False, True])
def test_no_more_is_stored_than_was_asked_for(bench: Bench, is_vector: bool) -> None:
    at = bench.BASE
    sink = bench.memory.sink_iovec(bench.iovec((at, 4)), 1) if is_vector else bench.memory.sink(at, 4)
    assert sink.put(b"abcdef") == 4
    assert sink.remaining == 0
    assert sink.put(b"x") == 0
    assert bench.guest.read(at, 6) == b"abcd\0\0"


@pytest.mark.parametrize("is_vector", [False, True])
def test_what_memory_has_is_taken(bench: Bench, is_vector: bool) -> None:
    at = bench.END - 5
    bench.guest.write(at, b"abcde")
    source = bench.memory.source_iovec(bench.iovec((at, 100)), 1) if is_vector else bench.memory.source(at, 100)
    assert (source.peek(2), source.peek(3), source.remaining) == (b"ab", b"abc", 100)
    assert source.take(2) == b"ab"
    assert source.take(50) == b"cde"
    assert source.remaining == 95
    assert errno_of(source.take, 1) == EFAULT
    assert errno_of(source.peek, 1) == EFAULT
    assert source.take(0) == source.peek(0) == b""


def test_no_more_is_taken_than_was_asked_for(bench: Bench) -> None:
    bench.guest.write(bench.BASE, b"abcdef")
    source = bench.memory.source(bench.BASE, 4)
    assert source.take(100) == b"abcd"
    assert (source.remaining, source.take(1)) == (0, b"")


def test_a_single_transfer_is_bounded(bench: Bench) -> None:
    """read(2), NOTES: at most 0x7ffff000 bytes."""
    assert bench.memory.sink(bench.BASE, 1 << 40).remaining == MAX_RW_COUNT
    assert bench.memory.source(bench.BASE, MAX_RW_COUNT + 1).remaining == MAX_RW_COUNT
    assert bench.memory.source(bench.BASE, MAX_RW_COUNT).remaining == MAX_RW_COUNT
    table = bench.iovec((bench.BASE, MAX_RW_COUNT - 1), (bench.BASE, 5), (bench.BASE, 5))
    assert bench.memory.read_iovec(table, 3) == [(bench.BASE, MAX_RW_COUNT - 1), (bench.BASE, 1), (bench.BASE, 0)]


def test_vectors_are_checked(bench: Bench) -> None:
    """readv(2): EINVAL for too many, or for a length that does not fit ssize_t; EFAULT for the array itself."""
    assert bench.memory.read_iovec(HOLE, 0) == []
    assert errno_of(bench.memory.read_iovec, HOLE, 1) == EFAULT
    assert errno_of(bench.memory.read_iovec, bench.BASE, IOV_MAX + 1) == EINVAL
    bench.guest.map(0x50000, 16 * IOV_MAX)
    assert len(bench.memory.read_iovec(0x50000, IOV_MAX)) == IOV_MAX
    assert errno_of(bench.memory.read_iovec, bench.iovec((bench.BASE, 1), (bench.BASE, 1 << 63)), 2) == EINVAL
    assert bench.memory.read_iovec(bench.iovec((bench.BASE, (1 << 63) - 1)), 1) == [(bench.BASE, MAX_RW_COUNT)]


def test_a_vector_goes_on_until_a_segment_faults(bench: Bench) -> None:
    sink = bench.memory.sink_iovec(bench.iovec((bench.BASE, 2), (0, 0), (bench.BASE + 10, 3), (HOLE, 4)), 4)
    assert sink.put(b"abcdefg") == 5
    assert (bench.guest.read(bench.BASE, 2), bench.guest.read(bench.BASE + 10, 3)) == (b"ab", b"cde")
    source = bench.memory.source_iovec(bench.iovec((bench.BASE, 2), (0, 0), (bench.BASE + 10, 3), (HOLE, 4)), 4)
    assert source.peek(4) == b"abcd"
    assert source.take(1) == b"a"
    assert source.take(100) == b"bcde"
    assert errno_of(source.take, 1) == EFAULT


SEGMENTS = st.lists(st.integers(0, 9), min_size=1, max_size=6)


@given(SEGMENTS, st.lists(st.integers(0, 12), max_size=12))
def test_pieces_make_the_whole_however_they_are_cut(lengths: list[int], pieces: list[int]) -> None:
    bench, text = Bench(), bytes(range(1, 60))
    places = [(bench.BASE + 64 * number, length) for number, length in enumerate(lengths)]
    total = sum(lengths)
    sink = bench.memory.sink_iovec(bench.iovec(*places), len(places))
    source = bench.memory.source_iovec(bench.iovec(*places), len(places))
    done = 0
    for size in [*pieces, 99]:
        done += sink.put(text[done : done + size])
    assert (done, sink.remaining) == (min(total, len(text)), 0)
    assert b"".join(bench.guest.read(*place) for place in places) == text[:total]
    taken = b""
    for size in [*pieces, 99]:
        seen = source.peek(size)
        assert source.take(size) == seen
        taken += seen
    assert (taken, source.remaining) == (text[:total], 0)


@pytest.mark.parametrize("is_vector", [False, True])
def test_a_host_file_goes_straight_to_memory_and_back(bench: Bench, host_file: int, is_vector: bool) -> None:
    memory, at = bench.memory, bench.BASE
    places = [(at, 10), (at + 100, 10)] if is_vector else [(at, 20)]
    table = bench.iovec(*places)
    sink = memory.sink_iovec(table, 2) if is_vector else memory.sink(at, 20)
    assert sink.put_from_host(host_file, 5, 15) == 15
    assert sink.remaining == 5
    assert sink.put_from_host(host_file, 20, 100) == 5
    assert (sink.remaining, sink.put_from_host(host_file, 0, 1)) == (0, 0)
    assert b"".join(bench.guest.read(*place) for place in places) == bytes(range(5, 25))
    source = memory.source_iovec(table, 2) if is_vector else memory.source(at, 20)
    assert source.take_to_host(host_file, 100, 13) == 13
    assert source.take_to_host(host_file, 113, 100) == 7
    assert (source.remaining, source.take_to_host(host_file, 0, 1)) == (0, 0)
    assert os.pread(host_file, 22, 99) == bytes([99, *range(5, 25), 120])


def test_the_end_of_the_host_file_ends_the_move(bench: Bench, host_file: int) -> None:
    end = os.fstat(host_file).st_size
    for sink in (bench.memory.sink(bench.BASE, 50), bench.memory.sink_iovec(bench.iovec((bench.BASE, 6), (bench.BASE, 44)), 2)):
        assert sink.put_from_host(host_file, end - 8, 50) == 8
        assert sink.remaining == 42
        assert sink.put_from_host(host_file, end, 50) == 0


def test_a_move_that_faults_later_says_how_far_it_came(bench: Bench, host_file: int) -> None:
    sink = bench.memory.sink_iovec(bench.iovec((bench.BASE, 8), (HOLE, 8)), 2)
    assert sink.put_from_host(host_file, 0, 16) == 8
    assert errno_of(sink.put_from_host, host_file, 8, 8) == EFAULT
    source = bench.memory.source_iovec(bench.iovec((bench.BASE, 8), (HOLE, 8)), 2)
    assert source.take_to_host(host_file, 0, 16) == 8
    assert errno_of(source.take_to_host, host_file, 8, 8) == EFAULT


def test_the_sentrys_own_bytes_behave_like_memory(host_file: int) -> None:
    sink = BytesSink(6)
    assert (sink.put(b"abcd"), sink.put(b"efgh"), sink.put(b"i"), sink.remaining) == (4, 2, 0, 0)
    assert sink.data == b"abcdef"
    sink = BytesSink(6)
    assert sink.put_from_host(host_file, 3, 4) == 4
    assert sink.put_from_host(host_file, 7, 40) == 2
    assert sink.data == bytes(range(3, 9))
    source = BytesSource(b"abcdef")
    assert (source.peek(2), source.take(2), source.remaining) == (b"ab", b"ab", 4)
    assert source.take_to_host(host_file, 10, 3) == 3
    assert (source.remaining, source.take(9), source.remaining) == (1, b"f", 0)
    assert os.pread(host_file, 5, 9) == bytes([9]) + b"cde" + bytes([13])


def test_a_copy_between_guests_ends_where_either_memory_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """process_vm_readv(2): a partial transfer is reported, EFAULT only if nothing went."""
    monkeypatch.setattr(remote, "_CHUNK", 3)
    one, two = Bench(), Bench()
    one.guest.write(one.END - 8, b"abcdefgh")

    def moved(source: tuple[int, int], sink: tuple[int, int]) -> int:
        return remote.copy(one.memory.source_iovec(one.iovec(source), 1), two.memory.sink_iovec(two.iovec(sink), 1))

    assert moved((one.END - 8, 8), (two.BASE, 8)) == 8
    assert two.guest.read(two.BASE, 9) == b"abcdefgh\0"
    assert moved((one.END - 8, 8), (two.BASE + 20, 5)) == 5
    assert two.guest.read(two.BASE + 20, 6) == b"abcde\0"
    assert moved((one.END - 4, 50), (two.BASE, 50)) == 4
    assert moved((one.END - 8, 8), (two.END - 5, 8)) == 5
    with pytest.raises(SyscallError):
        moved((HOLE, 8), (two.BASE, 8))
    with pytest.raises(SyscallError):
        moved((one.BASE, 8), (HOLE, 8))
    assert moved((HOLE, 0), (two.BASE, 8)) == 0
