"""ICMP (RFC 792) and ICMPv6 (RFC 4443) messages, and their neighbour discovery (RFC 4861)."""

import struct
from typing import NamedTuple

from sentry.netstack.wire.checksum import checksum, finish, pseudo, residue

# --- fields: type 0, code 1, checksum 2..4, rest of header 4..8 ----------------------------------------------------------------
_HEADER = struct.Struct(">BBHI")
HEADER = 8
PROTOCOL4, PROTOCOL6 = 1, 58

ECHO_REPLY, UNREACHABLE, REDIRECT, ECHO, TIME_EXCEEDED, PARAMETER = 0, 3, 5, 8, 11, 12
NET_UNREACHABLE, HOST_UNREACHABLE, PROTOCOL_UNREACHABLE, PORT_UNREACHABLE, FRAGMENTATION_NEEDED = 0, 1, 2, 3, 4

UNREACHABLE6, TOO_BIG6, TIME_EXCEEDED6, PARAMETER6, ECHO6, ECHO_REPLY6 = 1, 2, 3, 4, 128, 129
NO_ROUTE6, PROHIBITED6, ADDRESS_UNREACHABLE6, PORT_UNREACHABLE6 = 0, 1, 3, 4
SOLICITATION, ADVERTISEMENT = 135, 136
_SOURCE_MAC, _TARGET_MAC = 1, 2
ROUTER, SOLICITED, OVERRIDE = 0x80000000, 0x40000000, 0x20000000

ERRORS4 = frozenset((UNREACHABLE, 4, REDIRECT, TIME_EXCEEDED, PARAMETER))


class Message(NamedTuple):
    """One message; ``rest`` is the second word of the header."""

    type: int
    code: int
    rest: int
    body: bytes


class Neighbour(NamedTuple):
    """A solicitation or advertisement; ``mac`` is empty without the option."""

    target: bytes
    mac: bytes
    flags: int


def parse4(data: bytes) -> Message | None:
    """None: too short or a bad checksum."""
    if len(data) < HEADER or residue(data) or not any(data):
        return None
    type, code, _, rest = _HEADER.unpack_from(data)
    return Message(type, code, rest, data[HEADER:])


def emit4(message: Message) -> bytes:
    """An ICMP message."""
    head = _HEADER.pack(message.type, message.code, 0, message.rest)
    return _HEADER.pack(message.type, message.code, checksum(head + message.body), message.rest) + message.body


def parse6(source: bytes, destination: bytes, data: bytes) -> Message | None:
    """None: too short or a bad checksum."""
    if len(data) < HEADER or (pseudo(source, destination, PROTOCOL6) + len(data) + residue(data)) % 0xFFFF:
        return None
    type, code, _, rest = _HEADER.unpack_from(data)
    return Message(type, code, rest, data[HEADER:])


def emit6(source: bytes, destination: bytes, message: Message) -> bytes:
    """An ICMPv6 message."""
    data = _HEADER.pack(message.type, message.code, 0, message.rest) + message.body
    total = finish(pseudo(source, destination, PROTOCOL6) + len(data) + residue(data))
    return data[:2] + total.to_bytes(2, "big") + data[4:]


def parse_neighbour(message: Message) -> Neighbour | None:
    """The body of a solicitation or advertisement; None: too short, a group as target, an option of length 0."""
    body = message.body
    if len(body) < 16 or body[0] == 0xFF or message.code:
        return None
    wanted = _SOURCE_MAC if message.type == SOLICITATION else _TARGET_MAC
    mac, at = b"", 16
    while at < len(body):
        if at + 2 > len(body) or not body[at + 1] or at + body[at + 1] * 8 > len(body):
            return None
        if body[at] == wanted and body[at + 1] == 1:
            mac = body[at + 2 : at + 8]
        at += body[at + 1] * 8
    return Neighbour(body[:16], mac, message.rest)


def neighbour_body(type: int, target: bytes, mac: bytes) -> bytes:
    """The body of a solicitation or advertisement."""
    kind = _SOURCE_MAC if type == SOLICITATION else _TARGET_MAC
    return target + (bytes((kind, 1)) + mac if mac else b"")
