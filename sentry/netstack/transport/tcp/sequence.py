"""Sequence numbers. Inside they are plain integers that never wrap; the wire's 32 bits are widened near a known number."""


def widen(wire: int, near: int) -> int:
    """The number whose low 32 bits are ``wire`` and that is nearest to ``near`` (RFC 9293 section 3.4)."""
    return near + ((wire - near + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def is_older(stamp: int, than: int) -> bool:
    """Whether a timestamp is before another, modulo 2**32 (RFC 7323 section 5.2)."""
    return (stamp - than) & 0x80000000 != 0
