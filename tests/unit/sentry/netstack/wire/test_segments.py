"""TCP segments and ICMP messages against bytes written down by hand (RFC 9293, 7323, 2018, 792, 4443, 4861)."""

import struct

import pytest

from sentry.netstack.wire import icmp, tcp
from sentry.netstack.wire.checksum import pseudo
from sentry.netstack.wire.tcp import ACK, FIN, PSH, RST, SYN, Segment

A4, B4 = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
A6, B6 = bytes.fromhex("fd" + "00" * 14 + "01"), bytes.fromhex("fd" + "00" * 14 + "02")
MAC = bytes.fromhex("020000000001")
PSEUDO = pseudo(A4, B4, 6)


def words(data: bytes) -> int:
    """The one's complement sum, added word by word."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def made(options: str = "", payload: bytes = b"", flags: int = SYN, offset: int = -1) -> bytes:
    """A segment made by hand with a right checksum."""
    extra = bytes.fromhex(options)
    offset = (20 + len(extra)) // 4 if offset < 0 else offset
    data = struct.pack(">HHIIBBHHH", 1000, 80, 0xFFFFFFF0, 7, offset << 4, flags, 500, 0, 0) + extra + payload
    total = ~words(A4 + B4 + struct.pack(">HH", 6, len(data)) + data) & 0xFFFF
    return data[:16] + total.to_bytes(2, "big") + data[18:]


def test_a_segment_there_and_back() -> None:
    data = tcp.emit(Segment(1000, 80, 0xFFFFFFF0, 7, ACK | PSH, 500, b"abc"), PSEUDO)
    assert data == made(payload=b"abc", flags=ACK | PSH)
    found = tcp.parse(data, PSEUDO)
    assert found is not None
    assert (found.source_port, found.port, found.seq, found.ack, found.flags) == (1000, 80, 0xFFFFFFF0, 7, 0x18)
    assert (found.window, found.payload) == (500, b"abc")
    assert (found.mss, found.scale, found.stamp, found.is_sack_permitted, found.sacks) == (None, None, None, False, [])


@pytest.mark.parametrize(
    ("flags", "payload", "length"),
    [
        (ACK, b"", 0),
        (SYN, b"", 1),
        (FIN | ACK, b"", 1),
        (SYN | FIN, b"ab", 4),
        (RST, b"", 0),
        (ACK | PSH, b"abc", 3),
        (32, b"", 0),
    ],
)
def test_syn_and_fin_take_a_number_each(flags: int, payload: bytes, length: int) -> None:
    assert Segment(1, 2, 3, 4, flags, 5, payload).length == length


def test_numbers_are_modulo_two_to_the_32() -> None:
    data = tcp.emit(Segment(1000, 80, 0x1FFFFFFF0, 0x300000007, SYN, 500, b""), PSEUDO)
    assert data == made()
    assert tcp.stamp_options(0x100000001, 9) == bytes.fromhex("0101080a 00000001 00000009")


@pytest.mark.parametrize(("offset", "is_good"), [(5, True), (6, True), (4, False), (0, False), (7, False), (15, False)])
def test_the_header_lies_in_the_segment(offset: int, is_good: bool) -> None:
    assert (tcp.parse(made(payload=b"\0\0\0\0", offset=offset), PSEUDO) is not None) == is_good


def test_what_is_broken_is_dropped() -> None:
    data = made(payload=b"abc")
    assert tcp.parse(data[:19], PSEUDO) is None
    assert tcp.parse(data, PSEUDO + 1) is None
    assert tcp.parse(data[:-1] + b"d", PSEUDO) is None


@pytest.mark.parametrize(
    ("options", "flags", "wanted"),
    [
        ("020405b4", SYN, {"mss": 1460}),
        ("020405b4", ACK, {}),  # only a SYN may carry it
        ("02030500", SYN, {}),  # a wrong length
        ("03030700", SYN, {"scale": 7}),
        ("03030f00", SYN, {"scale": 14}),  # RFC 7323 section 2.3
        ("03030e00", SYN, {"scale": 14}),
        ("03030700", ACK, {}),
        ("04020000", SYN, {"is_sack_permitted": True}),
        ("04020000", ACK, {}),
        ("0403aa00", SYN, {}),
        ("080a0000000100000002 0000", ACK, {"stamp": 1, "stamp_echo": 2}),
        ("0101080a0000000100000002", ACK, {"stamp": 1, "stamp_echo": 2}),
        ("01010801 0000000100000002", ACK, {}),
        ("0101050a 00000001 00000005", ACK, {"sacks": [(1, 5)]}),
        ("01010512 00000001 00000005 00000009 0000000c", ACK, {"sacks": [(1, 5), (9, 12)]}),
        ("01010502", ACK, {}),
        ("0509 00000001 00000005 0000", ACK, {}),
        ("00020405 b4000000", SYN, {}),  # nothing counts after the end
        ("01020405 b4000000", SYN, {"mss": 1460}),
        ("fe040000 020405b4", SYN, {"mss": 1460}),  # unknown options are stepped over
        ("fe000000 020405b4", SYN, {}),  # ... unless their length is none
        ("fe010000 020405b4", SYN, {}),
        ("fe020000 020405b4", SYN, {}),  # then a 0 ends them
        ("fe020101 020405b4", SYN, {"mss": 1460}),
        ("01010102", SYN, {}),  # a kind without its length
        ("01020405", SYN, {}),  # longer than the header
        ("020405b4 0402080a 00000005 00000000 01030307", SYN,
         {"mss": 1460, "is_sack_permitted": True, "stamp": 5, "scale": 7}),
    ],
)  # fmt: skip
def test_options(options: str, flags: int, wanted: dict[str, object]) -> None:
    found = tcp.parse(made(options, flags=flags), PSEUDO)
    assert found is not None
    nothing = {"mss": None, "scale": None, "is_sack_permitted": False, "stamp": None, "stamp_echo": 0, "sacks": []}
    assert {name: getattr(found, name) for name in nothing} == {**nothing, **wanted}


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"mss": 1460}, "020405b4"),
        ({"mss": 1460, "is_sack_permitted": True}, "020405b401010402"),
        ({"mss": 1460, "is_sack_permitted": True, "stamp": 5, "scale": 7}, "020405b40402080a000000050000000001030307"),
        ({"stamp": 5, "stamp_echo": 6}, "0101080a0000000500000006"),
        ({"scale": 0}, "01030300"),
        ({"sacks": [(1, 5), (0x100000009, 0x10000000C)]}, "010105120000000100000005000000090000000c"),
        ({"stamp": 5, "sacks": [(1, 5)]}, "0101080a00000005000000000101050a0000000100000005"),
    ],
)
def test_options_are_sent_as_linux_orders_them(fields: dict[str, object], options: str) -> None:
    segment = Segment(1000, 80, 0xFFFFFFF0, 7, SYN, 500, b"pay")
    for name, value in fields.items():
        setattr(segment, name, value)
    assert tcp.options_of(segment).hex() == options
    assert tcp.emit(segment, PSEUDO) == made(options, b"pay")


def test_an_icmp_message() -> None:
    message = icmp.Message(icmp.ECHO, 0, 0x12340001, b"abc")
    data = icmp.emit4(message)
    assert (data[0], data[1], data[4:]) == (8, 0, b"\x12\x34\0\1abc")
    assert words(data) == 0xFFFF
    assert icmp.parse4(data) == message
    assert icmp.parse4(data[:7]) is None
    assert icmp.parse4(data[:-1] + b"d") is None
    assert icmp.parse4(bytes(8)) is None
    empty = icmp.emit4(icmp.Message(icmp.ECHO_REPLY, 0, 0, b""))
    assert (len(empty), words(empty)) == (8, 0xFFFF)
    assert icmp.parse4(empty) == icmp.Message(0, 0, 0, b"")


def test_an_icmpv6_message_sums_up_with_its_pseudo_header() -> None:
    message = icmp.Message(icmp.ECHO6, 0, 0x12340001, b"abc")
    data = icmp.emit6(A6, B6, message)
    assert (data[0], data[1], data[4:]) == (128, 0, b"\x12\x34\0\1abc")
    assert words(A6 + B6 + struct.pack(">II", len(data), 58) + data) == 0xFFFF
    assert icmp.parse6(A6, B6, data) == message
    assert icmp.parse6(A6, A6, data) is None
    assert icmp.parse6(A6, B6, data[:7]) is None
    short = icmp.emit6(A6, B6, icmp.Message(icmp.ECHO6, 0, 1, b""))
    assert icmp.parse6(A6, B6, short) == icmp.Message(128, 0, 1, b"")


@pytest.mark.parametrize(
    ("type", "code", "tail", "mac"),
    [
        (135, 0, "", b""),
        (135, 0, "0101020000000001", MAC),
        (136, 0, "0201020000000001", MAC),
        (135, 0, "0201020000000001", b""),  # the other side's option
        (136, 0, "0101020000000001", b""),
        (135, 0, "0e01000000000000 0101020000000001", MAC),  # a nonce first
        (135, 0, "0102020000000001 0000000000000000", b""),  # not an Ethernet address
        (135, 1, "", None),
        (135, 0, "0100020000000001", None),  # a length of 0
        (135, 0, "0102020000000001", None),  # longer than the message
        (135, 0, "01", None),
    ],
)
def test_a_neighbour_message(type: int, code: int, tail: str, mac: bytes | None) -> None:
    found = icmp.parse_neighbour(icmp.Message(type, code, icmp.SOLICITED, A6 + bytes.fromhex(tail)))
    assert found == (None if mac is None else icmp.Neighbour(A6, mac, 0x40000000))


def test_what_a_neighbour_message_asks_for() -> None:
    group = b"\xff\x02" + bytes(14)
    assert icmp.parse_neighbour(icmp.Message(135, 0, 0, group)) is None
    assert icmp.parse_neighbour(icmp.Message(135, 0, 0, A6[:15])) is None
    assert icmp.neighbour_body(135, A6, MAC) == A6 + b"\x01\x01" + MAC
    assert icmp.neighbour_body(136, A6, MAC) == A6 + b"\x02\x01" + MAC
    assert icmp.neighbour_body(135, A6, b"") == A6
