"""Ethernet II frames (RFC 894, RFC 2464)."""

import struct

# --- fields: destination 0..6, source 6..12, type 12..14 ----------------------------------------------------------------------
HEADER = 14
TYPE_IPV4, TYPE_ARP, TYPE_IPV6 = 0x0800, 0x0806, 0x86DD
BROADCAST = b"\xff" * 6
_TYPE = struct.Struct(">H")


def multicast4(address: bytes) -> bytes:
    """The frame address of an IPv4 group (RFC 1112 section 6.4)."""
    return b"\x01\x00\x5e" + bytes((address[1] & 0x7F,)) + address[2:]


def multicast6(address: bytes) -> bytes:
    """The frame address of an IPv6 group (RFC 2464 section 7)."""
    return b"\x33\x33" + address[12:]


def parse(frame: bytes) -> tuple[bytes, bytes, int] | None:
    """Destination, source and type; None where the frame is too short."""
    if len(frame) < HEADER:
        return None
    return frame[:6], frame[6:12], _TYPE.unpack_from(frame, 12)[0]


def emit(destination: bytes, source: bytes, type: int, payload: bytes) -> bytes:
    """A frame."""
    return b"".join((destination, source, _TYPE.pack(type), payload))
