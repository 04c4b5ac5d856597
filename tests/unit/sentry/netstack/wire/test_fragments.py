"""IPv6 fragments as RFC 8200 section 4.5 draws them."""

import struct

from sentry.netstack.wire import ipv6
from sentry.netstack.wire.packet import Packet

A6, B6 = bytes.fromhex("fd" + "00" * 14 + "01"), bytes.fromhex("fd" + "00" * 14 + "02")


def test_a_fragment_is_what_the_rfc_draws() -> None:
    packet = Packet(A6, B6, 17, b"the whole payload", 7, 0x2E)
    data = ipv6.emit_fragment(packet, b"part", 0x01020304, 16, True)
    assert data[:40] == struct.pack(">IHBB16s16s", 6 << 28 | 0x2E << 20, 8 + 4, 44, 7, A6, B6)
    assert data[40:48] == bytes([17, 0, 0, 16 | 1, 1, 2, 3, 4])  # next header, reserved, offset and M, identification
    assert data[48:] == b"part"
    assert ipv6.emit_fragment(packet, b"end", 5, 24, False)[42:44] == bytes([0, 24])


def test_what_is_sent_is_understood() -> None:
    packet = Packet(A6, B6, 17, b"", 7, 0x2E)
    parsed = ipv6.parse(ipv6.emit_fragment(packet, b"x" * 8, 9, 65528 - 8, True))
    assert isinstance(parsed, Packet)
    assert (parsed.protocol, parsed.payload, parsed.fragment) == (17, b"x" * 8, (9, 65520, True))
    assert (parsed.source, parsed.destination, parsed.ttl, parsed.tos) == (A6, B6, 7, 0x2E)
