"""Netlink messages as bytes: headers, attributes, errors (netlink(7), rtnetlink(7))."""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from syscalls.abi import netlink as nl


class Request(NamedTuple):
    """One message of a guest: the header's fields, what follows it, and all of it."""

    type: int
    flags: int
    sequence: int
    body: bytes
    raw: bytes

    @property
    def is_dump(self) -> bool:
        """Whether all entries are wanted."""
        return self.flags & nl.NLM_F_DUMP == nl.NLM_F_DUMP


def _align(length: int) -> int:
    return (length + 3) & -4


def split(data: bytes) -> Iterator[Request]:
    """The messages in ``data``; a malformed one ends it (Linux: netlink_rcv_skb())."""
    at = 0
    while at + nl.NLMSGHDR.size <= len(data):
        length, type, flags, sequence, _ = nl.NLMSGHDR.unpack_from(data, at)
        if length < nl.NLMSGHDR.size or at + length > len(data):
            return
        raw = data[at : at + length]
        yield Request(type, flags, sequence, raw[nl.NLMSGHDR.size :], raw)
        at += _align(length)


def attributes(data: bytes) -> dict[int, bytes]:
    """struct rtattr after struct rtattr; a malformed one ends it."""
    found: dict[int, bytes] = {}
    at = 0
    while at + nl.RTATTR.size <= len(data):
        length, kind = nl.RTATTR.unpack_from(data, at)
        if length < nl.RTATTR.size or at + length > len(data):
            break
        found[kind] = data[at + nl.RTATTR.size : at + length]
        at += _align(length)
    return found


def attribute(kind: int, value: bytes | int) -> bytes:
    """One struct rtattr with its padding; a number is 32 bits."""
    data = value if isinstance(value, bytes) else (value & 0xFFFFFFFF).to_bytes(4, "little")
    length = nl.RTATTR.size + len(data)
    return (nl.RTATTR.pack(length, kind) + data).ljust(_align(length), b"\0")


def fixed(layout: Struct, data: bytes) -> tuple[int, ...]:
    """The fixed part of a request; what is missing is 0, as iproute2's short requests want it."""
    return layout.unpack(data[: layout.size].ljust(layout.size, b"\0"))


def message(type: int, flags: int, sequence: int, port: int, body: bytes) -> bytes:
    """A whole message."""
    return (nl.NLMSGHDR.pack(nl.NLMSGHDR.size + len(body), type, flags, sequence, port) + body).ljust(
        _align(nl.NLMSGHDR.size + len(body)), b"\0"
    )


def acknowledge(request: Request, port: int, errno: int, *, is_capped: bool) -> bytes:
    """NLMSG_ERROR: 0 is an acknowledgement; an error quotes the request, unless the reader wants its header only."""
    is_short = is_capped or not errno
    quoted = request.raw[: nl.NLMSGHDR.size] if is_short else request.raw
    body = (-errno & 0xFFFFFFFF).to_bytes(4, "little") + quoted
    return message(nl.NLMSG_ERROR, nl.NLM_F_CAPPED if is_short else 0, request.sequence, port, body)
