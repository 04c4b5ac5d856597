"""Kinds of addresses (RFC 6890, RFC 4291)."""

ANY4, ANY6 = bytes(4), bytes(16)
LOOPBACK4, LOOPBACK6 = b"\x7f\x00\x00\x01", bytes(15) + b"\x01"
BROADCAST4 = b"\xff" * 4
ALL_NODES6 = b"\xff\x02" + bytes(13) + b"\x01"
_SOLICITED_NODE = b"\xff\x02" + bytes(9) + b"\x01\xff"


def is_loopback(address: bytes) -> bool:
    """127.0.0.0/8 and ::1."""
    return address[0] == 127 if len(address) == 4 else address == LOOPBACK6


def is_multicast(address: bytes) -> bool:
    """224.0.0.0/4 and ff00::/8."""
    return 224 <= address[0] < 240 if len(address) == 4 else address[0] == 0xFF


def is_link_local(address: bytes) -> bool:
    """169.254.0.0/16 and fe80::/10."""
    if len(address) == 4:
        return address[:2] == b"\xa9\xfe"
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def is_any(address: bytes) -> bool:
    """0.0.0.0 and ::."""
    return not any(address)


def solicited_node(address: bytes) -> bytes:
    """The group of a node's solicitations (RFC 4291 section 2.7.1)."""
    return _SOLICITED_NODE + address[13:]


def common_prefix(one: bytes, other: bytes) -> int:
    """The length in bits of what two addresses of a family share."""
    return len(one) * 8 - (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_length()


def broadcast_of(address: bytes, prefix: int) -> bytes:
    """The directed broadcast address of an IPv4 network; none of a /31 or /32 (RFC 3021)."""
    if len(address) != 4 or prefix >= 31:
        return b""
    return (int.from_bytes(address, "big") | (1 << 32 - prefix) - 1).to_bytes(4, "big")
