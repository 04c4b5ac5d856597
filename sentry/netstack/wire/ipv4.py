"""IPv4 headers (RFC 791)."""

import struct

from sentry.netstack.wire.checksum import finish, residue
from sentry.netstack.wire.packet import Packet

# --- fields --------------------------------------------------------------------------------------------------------------------
_HEADER = struct.Struct(">BBHHHBBH4s4s")
HEADER = 20
DONT_FRAGMENT, MORE_FRAGMENTS, OFFSET_MASK = 0x4000, 0x2000, 0x1FFF
_OPTION_END, _OPTION_NOP, _LOOSE_ROUTE, _STRICT_ROUTE = 0, 1, 131, 137


def has_good_options(options: bytes) -> bool:
    """Whether options are well formed and ask for no source route (RFC 7126: such packets are dropped); others are ignored."""
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == _OPTION_END:
            return True
        if kind == _OPTION_NOP:
            at += 1
            continue
        if at + 1 >= len(options) or options[at + 1] < 2 or at + options[at + 1] > len(options):
            return False
        if kind in (_LOOSE_ROUTE, _STRICT_ROUTE):
            return False
        at += options[at + 1]
    return True


def parse(data: bytes) -> Packet | None:
    """None: too short, a bad length, checksum or option (RFC 1122 section 3.2.1)."""
    if len(data) < HEADER:
        return None
    first, tos, total, identification, fragment, ttl, protocol, _, source, destination = _HEADER.unpack_from(data)
    size = (first & 0xF) * 4
    if first >> 4 != 4 or size < HEADER or not size <= total <= len(data):
        return None
    if int.from_bytes(data[:size], "big") % 0xFFFF:
        return None
    if size > HEADER and not has_good_options(data[HEADER:size]):
        return None
    packet = Packet(source, destination, protocol, data[size:total], ttl, tos)
    packet.raw = data
    packet.header_size = size
    if fragment & (MORE_FRAGMENTS | OFFSET_MASK):
        packet.fragment = (identification, (fragment & OFFSET_MASK) * 8, bool(fragment & MORE_FRAGMENTS))
    packet.dont_fragment = bool(fragment & DONT_FRAGMENT)
    return packet


def emit(packet: Packet, identification: int, fragment: int) -> bytes:
    """A datagram or fragment; ``fragment`` is the third word's flags and offset / 8."""
    total = HEADER + len(packet.payload)
    fields = (0x45, packet.tos, total, identification, fragment, packet.ttl, packet.protocol)
    header = _HEADER.pack(*fields, 0, packet.source, packet.destination)
    return _HEADER.pack(*fields, finish(residue(header)), packet.source, packet.destination) + packet.payload
