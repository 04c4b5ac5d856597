"""UDP datagrams (RFC 768; over IPv6 RFC 8200 section 8.1)."""

import struct

from sentry.netstack.wire.checksum import finish, pseudo, residue

# --- fields: source 0..2, destination 2..4, length 4..6, checksum 6..8 --------------------------------------------------------
_HEADER = struct.Struct(">HHHH")
HEADER = 8
PROTOCOL = 17
PAYLOAD_MAX = 65535 - HEADER - 20


def parse(source: bytes, destination: bytes, data: bytes) -> tuple[int, int, bytes] | None:
    """Ports and payload; None: too short, a bad length or checksum. No checksum is allowed over IPv4 alone."""
    if len(data) < HEADER:
        return None
    source_port, port, length, given = _HEADER.unpack_from(data)
    if not HEADER <= length <= len(data):
        return None
    data = data[:length]
    if given:
        if (pseudo(source, destination, PROTOCOL) + length + residue(data)) % 0xFFFF:
            return None
    elif len(source) == 16:
        return None
    return source_port, port, data[HEADER:]


def emit(source: bytes, destination: bytes, source_port: int, port: int, payload: bytes, has_checksum: bool = True) -> bytes:
    """A datagram; a checksum that comes out as 0 is sent as 0xFFFF."""
    length = HEADER + len(payload)
    total = 0
    if has_checksum:
        words = pseudo(source, destination, PROTOCOL) + length + source_port + port + length + residue(payload)
        total = finish(words) or 0xFFFF
    return _HEADER.pack(source_port, port, length, total) + payload
