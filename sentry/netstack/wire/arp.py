"""ARP packets (RFC 826) of IPv4 over Ethernet."""

import struct
from typing import NamedTuple

# --- fields --------------------------------------------------------------------------------------------------------------------
_ARP = struct.Struct(">HHBBH6s4s6s4s")
REQUEST, REPLY = 1, 2
UNKNOWN = bytes(6)


class Arp(NamedTuple):
    """One packet's meaning."""

    operation: int
    sender_mac: bytes
    sender: bytes
    target_mac: bytes
    target: bytes


def parse(data: bytes) -> Arp | None:
    """None: too short, not Ethernet and IPv4, or an unknown operation."""
    if len(data) < _ARP.size:
        return None
    hardware, protocol, hardware_size, protocol_size, operation, *addresses = _ARP.unpack_from(data)
    if (hardware, protocol, hardware_size, protocol_size) != (1, 0x0800, 6, 4) or operation not in (REQUEST, REPLY):
        return None
    return Arp(operation, *addresses)


def emit(packet: Arp) -> bytes:
    """The bytes of a packet."""
    return _ARP.pack(1, 0x0800, 6, 4, *packet)
