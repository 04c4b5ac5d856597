"""Fragments come together again whatever their order; overlaps, gaps and bad ends do not (RFC 791, RFC 8200, RFC 5722)."""

import itertools

import pytest
from netstack_script import HOST, PEER, S, Script

from sentry.netstack.wire.packet import Packet

DATA = bytes(range(40))
PARTS = [(0, 16, True), (16, 32, True), (32, 40, False)]


@pytest.fixture
def s() -> Script:
    return Script()


def part(start: int, end: int, more: bool, *, number: int = 7, data: bytes = DATA, source: bytes = PEER) -> Packet:
    """One fragment of a datagram of 40 bytes."""
    packet = Packet(source, HOST, 17, data[start:end])
    packet.fragment = number, start, more
    return packet


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_any_order(s: Script, order: tuple[int, ...]) -> None:
    joiner = s.stack.reassembler
    first, second, last = (part(*PARTS[at]) for at in order)
    assert joiner.add(first) is None
    assert joiner.add(second) is None
    whole = joiner.add(last)
    assert whole is not None
    assert (whole.payload, whole.source, whole.destination, whole.protocol) == (DATA, PEER, HOST, 17)
    assert whole.fragment is None
    assert (joiner.size, joiner.partials) == (0, {})


def test_an_exact_repeat_is_no_overlap(s: Script) -> None:
    joiner = s.stack.reassembler
    for at in (0, 0, 1, 0, 1):
        assert joiner.add(part(*PARTS[at])) is None
    whole = joiner.add(part(*PARTS[2]))
    assert whole is not None
    assert whole.payload == DATA


@pytest.mark.parametrize("bad", [(8, 24, True), (0, 24, True), (8, 16, True), (24, 40, False)])
def test_an_overlap_ends_the_datagram(s: Script, bad: tuple[int, int, bool]) -> None:
    joiner = s.stack.reassembler
    assert joiner.add(part(*PARTS[0])) is None
    assert joiner.add(part(*PARTS[1])) is None
    assert joiner.add(part(*bad)) is None
    for one in PARTS:
        assert joiner.add(part(*one)) is None
    other = [joiner.add(part(*one, number=8)) for one in PARTS]
    assert other[2] is not None


@pytest.mark.parametrize(
    "bad",
    [(16, 16, True), (16, 28, True), (16, 24, False)],  # empty, not a multiple of 8, an end before what is there
)
def test_a_part_that_cannot_be_ends_the_datagram(s: Script, bad: tuple[int, int, bool]) -> None:
    joiner = s.stack.reassembler
    joiner.add(part(24, 32, True))
    assert joiner.add(part(*bad)) is None
    assert [joiner.add(part(*one)) for one in PARTS] == [None] * 3


@pytest.mark.parametrize("bad", [(40, 48, True), (40, 48, False), (32, 39, False)])
def test_nothing_lies_beyond_the_end(s: Script, bad: tuple[int, int, bool]) -> None:
    joiner = s.stack.reassembler
    data = DATA + bytes(8)
    assert joiner.add(part(32, 40, False)) is None
    assert joiner.add(part(*bad, data=data)) is None
    assert [joiner.add(part(*one)) for one in PARTS[:2]] == [None] * 2


@pytest.mark.parametrize(("size", "is_joined"), [(65535 - 65520, True), (65536 - 65520, False)])
def test_the_largest_datagram(s: Script, size: int, is_joined: bool) -> None:
    joiner = s.stack.reassembler
    data = bytes(65520 + size)
    assert joiner.add(part(0, 65520, True, data=data)) is None
    whole = joiner.add(part(65520, 65520 + size, False, data=data))
    assert (whole is not None) == is_joined


def test_datagrams_do_not_mix(s: Script) -> None:
    joiner = s.stack.reassembler
    joiner.add(part(0, 16, True, number=1))
    assert joiner.add(part(16, 40, False, number=2)) is None
    assert joiner.add(part(16, 40, False, number=1, source=HOST)) is None
    assert len(joiner.partials) == 3
    assert joiner.add(part(16, 40, False, number=1)) is not None
    assert len(joiner.partials) == 2


def test_what_does_not_come_is_forgotten_after_30_seconds(s: Script) -> None:
    joiner = s.stack.reassembler
    joiner.add(part(0, 16, True))
    s.wait(30 * S - 1)
    assert len(joiner.partials) == 1
    s.wait(2)
    assert (joiner.size, joiner.partials) == (0, {})
    assert joiner.add(part(16, 40, False)) is None


def test_the_oldest_gives_way_when_there_are_too_many(s: Script) -> None:
    joiner = s.stack.reassembler
    limit = s.stack.limits.reassembly_bytes
    data = bytes(60_000)
    for number in range(limit // 60_000 + 5):
        joiner.add(part(0, 60_000, True, number=number, data=data))
        assert joiner.size <= limit
    numbers = [key[2] for key in joiner.partials]
    assert numbers == sorted(numbers)
    assert numbers[0] > 0
    assert numbers[-1] == limit // 60_000 + 4


def test_a_datagram_has_not_too_many_parts(s: Script) -> None:
    joiner = s.stack.reassembler
    count = s.stack.limits.reassembly_parts
    data = bytes((count + 1) * 8)
    for at in range(count - 1):
        joiner.add(part(at * 8, at * 8 + 8, True, data=data))
    assert joiner.add(part(count * 8 - 8, count * 8, False, data=data)) is not None
    for at in range(count):
        joiner.add(part(at * 8, at * 8 + 8, True, data=data))
    assert joiner.add(part(count * 8, count * 8 + 8, False, data=data)) is None
