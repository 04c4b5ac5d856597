"""IPv6 headers and extension headers (RFC 8200)."""

import struct
from typing import NamedTuple

from sentry.netstack.wire.packet import Packet

# --- fields --------------------------------------------------------------------------------------------------------------------
_HEADER = struct.Struct(">IHBB16s16s")
_FRAGMENT = struct.Struct(">BBHI")
HEADER = 40
HOP_BY_HOP, ROUTING, FRAGMENT, NO_NEXT, DESTINATION = 0, 43, 44, 59, 60
_EXTENSIONS_MAX, _OPTIONS_MAX = 8, 32
BAD_FIELD, BAD_NEXT_HEADER, BAD_OPTION = 0, 1, 2  # codes of a parameter problem (RFC 4443 section 3.4)


class Problem(NamedTuple):
    """Why a packet is dropped; with a ``code`` the sender is told where (``pointer``)."""

    code: int | None = None
    pointer: int = 0
    packet: Packet | None = None


def _check_options(data: bytes, at: int, end: int, packet: Packet) -> Problem | None:
    """Walk hop-by-hop or destination options (RFC 8200 section 4.2)."""
    for _ in range(_OPTIONS_MAX):
        if at >= end:
            return None
        kind = data[at]
        if kind == 0:
            at += 1
            continue
        if at + 2 > end or at + 2 + data[at + 1] > end:
            return Problem()
        action = kind >> 6
        if action == 1:
            return Problem()
        if action == 2 or (action == 3 and packet.destination[0] != 0xFF):
            return Problem(BAD_OPTION, at, packet)
        if action == 3:
            return Problem()
        at += 2 + data[at + 1]
    return None if at >= end else Problem()


def parse(data: bytes) -> Packet | Problem:
    """The packet with its extension headers taken off, up to a fragment header (its payload is what is to be joined)."""
    if len(data) < HEADER:
        return Problem()
    first, length, following, hops, source, destination = _HEADER.unpack_from(data)
    if first >> 28 != 6 or HEADER + length > len(data):
        return Problem()
    packet = Packet(source, destination, following, b"", hops, first >> 20 & 0xFF)
    packet.raw = data
    return walk(packet, data[: HEADER + length], HEADER, 6)


def walk(packet: Packet, data: bytes, at: int, pointer: int, is_whole: bool = False) -> Packet | Problem:
    """Follow the chain from ``at``; ``pointer`` is where the current next-header field is.

    ``is_whole``: it was a fragment once and may not be one again.
    """
    for _ in range(_EXTENSIONS_MAX):
        kind = packet.protocol
        if kind == FRAGMENT and is_whole:
            return Problem()
        if kind == FRAGMENT:
            return _parse_fragment(packet, data, at)
        if kind not in (HOP_BY_HOP, ROUTING, DESTINATION):
            packet.payload = data[at:]
            packet.header_size = at
            return packet
        if at + 8 > len(data) or at + (data[at + 1] + 1) * 8 > len(data):
            return Problem()
        if kind == HOP_BY_HOP and at != HEADER:
            return Problem(BAD_NEXT_HEADER, pointer, packet)
        end = at + (data[at + 1] + 1) * 8
        if kind == ROUTING:
            if data[at + 3]:  # segments left: no type is known here (RFC 8200 section 4.4; RFC 5095 for type 0)
                return Problem(BAD_FIELD, at + 2, packet)
        elif (problem := _check_options(data, at + 2, end, packet)) is not None:
            return problem
        packet.protocol, pointer, at = data[at], at, end
    return Problem()


def _parse_fragment(packet: Packet, data: bytes, at: int) -> Packet | Problem:
    if at + 8 > len(data):
        return Problem()
    packet.protocol, _, word, identification = _FRAGMENT.unpack_from(data, at)
    packet.payload = data[at + 8 :]
    packet.header_size = at + 8
    more = bool(word & 1)
    if more and len(packet.payload) % 8:
        return Problem(BAD_FIELD, 4, packet)  # RFC 8200 section 4.5
    if word & 0xFFF9:
        packet.fragment = (identification, word & 0xFFF8, more)
        return packet
    return walk(packet, data, at + 8, at, is_whole=True)  # an atomic fragment (RFC 6946)


def emit(packet: Packet, flow: int = 0) -> bytes:
    """A packet without extension headers."""
    first = 6 << 28 | packet.tos << 20 | flow & 0xFFFFF
    fields = (first, len(packet.payload), packet.protocol, packet.ttl, packet.source, packet.destination)
    return _HEADER.pack(*fields) + packet.payload


def emit_fragment(packet: Packet, part: bytes, identification: int, offset: int, more: bool) -> bytes:
    """One fragment of ``packet``."""
    first = 6 << 28 | packet.tos << 20
    header = _HEADER.pack(first, 8 + len(part), FRAGMENT, packet.ttl, packet.source, packet.destination)
    return header + _FRAGMENT.pack(packet.protocol, 0, offset | more, identification) + part
