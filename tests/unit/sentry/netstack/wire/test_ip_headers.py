"""IPv4 and IPv6 headers against bytes written down by hand from RFC 791 and RFC 8200."""

import struct

import pytest

from sentry.netstack.wire import ipv4, ipv6
from sentry.netstack.wire.packet import Packet

A4, B4 = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
A6, B6 = bytes.fromhex("fd" + "00" * 14 + "01"), bytes.fromhex("fd" + "00" * 14 + "02")
GROUP6 = bytes.fromhex("ff02" + "00" * 13 + "01")


def header4(payload: bytes = b"", options: bytes = b"", first: int = 0, total: int = -1, word: int = 0) -> bytes:
    """A header made by hand, with its checksum added up word by word."""
    size = 20 + len(options)
    total = size + len(payload) if total < 0 else total
    head = struct.pack(">BBHHHBBH4s4s", first or 0x40 | size // 4, 0x10, total, 0x1234, word, 64, 17, 0, A4, B4) + options
    count = sum(struct.unpack(f">{len(head) // 2}H", head))
    while count >> 16:
        count = (count & 0xFFFF) + (count >> 16)
    return head[:10] + (~count & 0xFFFF).to_bytes(2, "big") + head[12:] + payload


def test_ipv4_is_what_the_rfc_draws() -> None:
    packet = Packet(A4, B4, 17, b"payload", 64, 0x10)
    data = ipv4.emit(packet, 0x1234, 0x4000)
    assert data == header4(b"payload", word=0x4000)
    parsed = ipv4.parse(data)
    assert parsed is not None
    assert (parsed.source, parsed.destination, parsed.protocol, parsed.payload) == (A4, B4, 17, b"payload")
    assert (parsed.ttl, parsed.tos, parsed.header_size, parsed.raw) == (64, 0x10, 20, data)
    assert parsed.dont_fragment
    assert parsed.fragment is None


@pytest.mark.parametrize(
    ("word", "fragment", "dont_fragment"),
    [
        (0, None, False),
        (0x4000, None, True),
        (0x2000, (0x1234, 0, True), False),
        (1, (0x1234, 8, False), False),
        (0x2001, (0x1234, 8, True), False),
        (0x1FFF, (0x1234, 65528, False), False),
        (0x8000, None, False),
    ],
)
def test_ipv4_fragments(word: int, fragment: tuple[int, int, bool] | None, dont_fragment: bool) -> None:
    parsed = ipv4.parse(header4(b"x" * 8, word=word))
    assert parsed is not None
    assert parsed.fragment == fragment
    assert parsed.dont_fragment is dont_fragment


@pytest.mark.parametrize(
    ("data", "is_good"),
    [
        (header4(b"abc"), True),
        (header4(b"abc") + b"padding", True),
        (header4(), True),
        (header4()[:19], False),
        (header4(first=0x55), False),  # another version
        (header4(first=0x44), False),  # a header of 16 bytes
        (header4(first=0x46), False),  # a header longer than the packet
        (header4(total=19), False),
        (header4(total=21), False),
        (header4(b"abc")[:-1], False),
        (header4(b"abc")[:8] + b"\x41" + header4(b"abc")[9:], False),  # the checksum no longer fits
    ],
)
def test_ipv4_lengths_and_checksum(data: bytes, is_good: bool) -> None:
    parsed = ipv4.parse(data)
    assert (parsed is not None) == is_good
    if parsed is not None:
        assert parsed.payload in (b"abc", b"")


@pytest.mark.parametrize(
    ("options", "is_good"),
    [
        ("00000000", True),
        ("01010100", True),
        ("01010101", True),
        ("07040401", True),  # a record of the route
        ("00ffffff", True),  # nothing counts after the end
        ("01010107", False),  # no length
        ("07000000", False),  # a length that does not hold its own two bytes
        ("07010000", False),
        ("07020000", True),
        ("07050000", False),  # longer than the options
        ("83040400", False),  # loose source route
        ("89040400", False),  # strict source route
        ("01830302", False),
        ("44080500 00000000", True),
        ("44040000 89040400", False),
    ],
)
def test_ipv4_options(options: str, is_good: bool) -> None:
    parsed = ipv4.parse(header4(b"abc", bytes.fromhex(options)))
    assert (parsed is not None) == is_good
    if parsed is not None:
        assert parsed.payload == b"abc"
        assert parsed.header_size == 20 + len(bytes.fromhex(options))


def header6(kind: int, rest: bytes, destination: bytes = B6, length: int = -1, version: int = 6) -> bytes:
    """A header made by hand."""
    length = len(rest) if length < 0 else length
    return struct.pack(">IHBB16s16s", version << 28 | 0x2E << 20 | 0x12345, length, kind, 7, A6, destination) + rest


def test_ipv6_is_what_the_rfc_draws() -> None:
    packet = Packet(A6, B6, 17, b"payload", 7, 0x2E)
    assert ipv6.emit(packet, 0x12345) == header6(17, b"payload")
    assert ipv6.emit(packet, 0x7F12345)[:4] == header6(17, b"")[:4]  # a flow label has 20 bits
    parsed = ipv6.parse(header6(17, b"payload") + b"padding")
    assert isinstance(parsed, Packet)
    assert (parsed.source, parsed.destination, parsed.protocol, parsed.payload) == (A6, B6, 17, b"payload")
    assert (parsed.ttl, parsed.tos, parsed.header_size, parsed.fragment) == (7, 0x2E, 40, None)


@pytest.mark.parametrize("data", [header6(17, b"")[:39], header6(17, b"ab", version=4), header6(17, b"ab", length=3), b""])
def test_ipv6_lengths(data: bytes) -> None:
    assert ipv6.parse(data) == ipv6.Problem()


NOTHING = None, 0
PAD = "0104 00000000"


@pytest.mark.parametrize(
    ("kind", "rest", "destination", "wanted"),
    [
        (60, f"1100 {PAD} aabb", B6, (17, "aabb", 48)),
        (60, f"1101 {PAD} 0000 0000 0000 0000 aabb", B6, (17, "aabb", 56)),
        (0, f"3c00 {PAD} 1100 {PAD} aa", B6, (17, "aa", 56)),
        (59, "aabb", B6, (59, "aabb", 40)),
        (43, "1100 0000 00000000 aa", B6, (17, "aa", 48)),
        (43, "1100 0001 00000000 aa", B6, (0, 42)),  # segments left: a bad field, there
        (60, f"0000 {PAD} 1100 {PAD}", B6, (1, 40)),  # hop-by-hop options are first, or nowhere
        (60, f"1102 {PAD}", B6, NOTHING),
        (60, f"1101 {PAD}", B6, NOTHING),
        (60, "1100 0104 0000", B6, NOTHING),  # shorter than an extension header
        (60, "1100 0105 00000000", B6, NOTHING),  # an option longer than the header
        (60, "1100 0102 0000 00 01", B6, NOTHING),  # an option without its length
        (60, "1100 0000 0000 0000 aa", B6, (17, "aa", 48)),  # one-byte paddings
        (60, "1100 1e04 00000000 aa", B6, (17, "aa", 48)),  # unknown, 00: skipped
        (60, "1100 5e04 00000000 aa", B6, NOTHING),  # unknown, 01: dropped
        (60, "1100 9e04 00000000 aa", B6, (2, 42)),  # unknown, 10: told
        (60, "1100 9e04 00000000 aa", GROUP6, (2, 42)),  # ... of a group too
        (60, "1100 de04 00000000 aa", B6, (2, 42)),  # unknown, 11: told
        (60, "1100 de04 00000000 aa", GROUP6, NOTHING),  # ... but not of a group
        (60, "1100 0100 9e02 0000 aa", B6, (2, 44)),
        (60, "3c00" + PAD.replace(" ", "") + f"1100 {PAD}", B6, (17, "", 56)),
        (60, (f"3c00 {PAD}" * 7) + f"1100 {PAD}", B6, NOTHING),  # more than anyone sends
        (60, (f"3c00 {PAD}" * 6) + f"1100 {PAD} aa", B6, (17, "aa", 96)),
        (44, "1100 0000 00000007", B6, (17, "", 48)),  # an atomic fragment
        (44, "2c00 0000 00000007 1100 0000 00000007", B6, NOTHING),  # a fragment of a fragment
        (44, "1100 0000 000000", B6, NOTHING),
        (44, "1100 0001 00000007 aabb", B6, (0, 4)),  # not the last, and not a multiple of 8
    ],
)
def test_ipv6_extension_headers(kind: int, rest: str, destination: bytes, wanted: tuple[int, ...]) -> None:
    found = ipv6.parse(header6(kind, bytes.fromhex(rest), destination))
    if len(wanted) == 3:
        assert isinstance(found, Packet)
        assert (found.protocol, found.payload.hex(), found.header_size) == wanted
    else:
        assert isinstance(found, ipv6.Problem)
        assert (found.code, found.pointer) == wanted
        assert (found.packet is None) == (found.code is None)


def test_an_option_of_padding_only_has_an_end() -> None:
    """A chain of one-byte paddings longer than anyone sends is dropped."""
    assert ipv6.parse(header6(60, b"\x11\x04" + bytes(38))) == ipv6.Problem()
    assert isinstance(ipv6.parse(header6(60, b"\x11\x03" + bytes(30))), Packet)


@pytest.mark.parametrize(("offset", "more", "size"), [(0, True, 8), (8, False, 3), (1280, True, 16), (65528, False, 1)])
def test_ipv6_fragments_there_and_back(offset: int, more: bool, size: int) -> None:
    whole = Packet(A6, B6, 17, b"", 7, 0x2E)
    data = ipv6.emit_fragment(whole, b"x" * size, 0xDEADBEEF, offset, more)
    assert data[:4] == (6 << 28 | 0x2E << 20).to_bytes(4, "big")
    assert data[4:6] == (8 + size).to_bytes(2, "big")
    assert data[40:48] == bytes((17, 0)) + (offset | more).to_bytes(2, "big") + b"\xde\xad\xbe\xef"
    found = ipv6.parse(data)
    assert isinstance(found, Packet)
    assert found.fragment == (0xDEADBEEF, offset, more)
    assert (found.protocol, found.payload, found.header_size) == (17, b"x" * size, 48)
