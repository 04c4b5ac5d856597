"""The Internet checksum (RFC 1071). The one's complement sum is the number modulo 65535, which Python's integers do in C."""


def residue(data: bytes) -> int:
    """The sum of the 16-bit words modulo 65535; parts of even length may be added up."""
    total = int.from_bytes(data, "big")
    return (total << 8 if len(data) & 1 else total) % 0xFFFF


def finish(total: int) -> int:
    """The checksum that belongs to a sum of residues of which not all words were 0."""
    return 0xFFFF - (total % 0xFFFF or 0xFFFF)


def checksum(data: bytes) -> int:
    """The checksum of bytes whose checksum field is 0."""
    return finish(residue(data)) if any(data) else 0xFFFF


def pseudo(source: bytes, destination: bytes, protocol: int) -> int:
    """The pseudo header without its length (RFC 9293 section 3.1, RFC 8200 section 8.1): add the length to it."""
    return (int.from_bytes(source, "big") + int.from_bytes(destination, "big") + protocol) % 0xFFFF
