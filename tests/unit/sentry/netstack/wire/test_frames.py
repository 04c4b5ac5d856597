"""Frames, ARP, checksums and UDP against bytes written down by hand from the RFCs."""

import struct

import pytest

from sentry.netstack.wire import arp, checksum, ethernet, udp

MAC, OTHER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
A4, B4 = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
A6, B6 = bytes.fromhex("fd" + "00" * 14 + "01"), bytes.fromhex("fd" + "00" * 14 + "02")


def words(data: bytes) -> int:
    """The one's complement sum, added word by word with end-around carry (RFC 1071 section 1)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_a_frame() -> None:
    frame = ethernet.emit(MAC, OTHER, 0x0800, b"payload")
    assert frame == MAC + OTHER + b"\x08\x00payload"
    assert ethernet.parse(frame) == (MAC, OTHER, 0x0800)
    assert ethernet.parse(frame[:14]) == (MAC, OTHER, 0x0800)
    assert ethernet.parse(frame[:13]) is None


@pytest.mark.parametrize(
    ("group", "mac"),
    [
        (bytes((224, 0, 0, 1)), "01005e000001"),
        (bytes((239, 255, 1, 2)), "01005e7f0102"),
        (bytes((224, 128, 3, 4)), "01005e000304"),
    ],
)
def test_a_group_of_ipv4_has_the_low_23_bits(group: bytes, mac: str) -> None:
    assert ethernet.multicast4(group).hex() == mac


def test_a_group_of_ipv6_has_the_low_32_bits() -> None:
    assert ethernet.multicast6(bytes.fromhex("ff02" + "00" * 9 + "01ff112233")).hex() == "3333ff112233"


def test_an_arp_request() -> None:
    wanted = arp.Arp(arp.REQUEST, MAC, A4, arp.UNKNOWN, B4)
    data = bytes.fromhex("0001080006040001") + MAC + A4 + bytes(6) + B4
    assert arp.emit(wanted) == data
    assert arp.parse(data) == wanted
    assert arp.parse(data + bytes(18)) == wanted  # padded to the smallest frame
    assert arp.parse(data[:-1]) is None


@pytest.mark.parametrize(("at", "value"), [(1, 2), (2, 9), (3, 1), (4, 8), (5, 16), (7, 0), (7, 3)])
def test_what_is_no_arp_of_ipv4_over_ethernet(at: int, value: int) -> None:
    data = bytearray(arp.emit(arp.Arp(arp.REPLY, MAC, A4, OTHER, B4)))
    data[at] = value
    assert arp.parse(bytes(data)) is None


@pytest.mark.parametrize("data", [b"", b"\x01", b"\0\0", b"\xff\xff", b"\x12\x34\x56", bytes(range(200)), b"\xff" * 99])
def test_the_checksum_is_the_complement_of_the_sum(data: bytes) -> None:
    assert checksum.checksum(data) == ~words(data) & 0xFFFF
    assert checksum.residue(data) == words(data) % 0xFFFF


def test_parts_of_even_length_are_added_up() -> None:
    one, other = bytes(range(1, 21)), bytes(range(100, 133))
    assert checksum.finish(checksum.residue(one) + checksum.residue(other)) == ~words(one + other) & 0xFFFF


@pytest.mark.parametrize(("source", "destination"), [(A4, B4), (A6, B6)])
@pytest.mark.parametrize("payload", [b"", b"x", b"some words"])
def test_a_datagram_sums_up_with_its_pseudo_header(source: bytes, destination: bytes, payload: bytes) -> None:
    data = udp.emit(source, destination, 1111, 53, payload)
    assert struct.unpack(">HHH", data[:6]) == (1111, 53, 8 + len(payload))
    assert data[8:] == payload
    assert words(source + destination + struct.pack(">HH", 17, len(data)) + data) == 0xFFFF
    assert udp.parse(source, destination, data) == (1111, 53, payload)
    assert udp.parse(source, destination, data + b"padding") == (1111, 53, payload)
    wrong = data[:7] + bytes((data[7] ^ 1,)) + data[8:]
    assert udp.parse(source, destination, wrong) is None


def test_a_datagram_without_checksum_is_for_ipv4_alone() -> None:
    data = udp.emit(A4, B4, 7, 9, b"data", has_checksum=False)
    assert data[6:8] == b"\0\0"
    assert udp.parse(A4, B4, data) == (7, 9, b"data")
    assert udp.parse(A6, B6, data) is None


def test_a_checksum_of_zero_is_sent_as_all_ones() -> None:
    for last in range(0x10000):
        data = udp.emit(A4, B4, 7, last, b"")
        assert data[6:8] != b"\0\0"


@pytest.mark.parametrize(("length", "is_good"), [(7, False), (8, True), (12, True), (13, False), (0, False)])
def test_the_length_of_a_datagram(length: int, is_good: bool) -> None:
    data = struct.pack(">HHHH", 7, 9, length, 0) + b"data"
    assert (udp.parse(A4, B4, data) is not None) == is_good


def test_a_datagram_needs_its_header() -> None:
    assert udp.parse(A4, B4, bytes(7)) is None
    assert udp.PAYLOAD_MAX == 65507
