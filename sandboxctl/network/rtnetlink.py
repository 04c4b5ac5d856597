"""The little of rtnetlink(7) that taking a network namespace over needs: dumps, and requests made of what was dumped."""

import os
import socket
from struct import Struct
from typing import NamedTuple

RTM_NEWLINK, RTM_GETLINK, RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR, RTM_NEWROUTE, RTM_GETROUTE = 16, 18, 20, 21, 22, 24, 26
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST, _ACK, _DUMP, _REPLACE, _CREATE = 0x1, 0x4, 0x300, 0x100, 0x400
_HEADER = Struct("=IHHII")
_ATTRIBUTE = Struct("=HH")
_NESTED = 0x3FFF
_READ_SIZE = 1 << 18
#: the fixed part of what is dumped: struct ifinfomsg, ifaddrmsg, rtmsg
_FIXED = {RTM_NEWLINK: 16, RTM_NEWADDR: 8, RTM_NEWROUTE: 12}


class Item(NamedTuple):
    """One object of a dump: its fixed part, its attributes by number, and both as bytes."""

    head: bytes
    attributes: dict[int, bytes]
    body: bytes


class Netlink:
    """A socket of the network namespace of the thread that makes it. Raises OSError, and for what the kernel refuses."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))

    def dump(self, type: int) -> list[Item]:
        """All objects that a RTM_GET request tells of."""
        self._socket.send(_HEADER.pack(_HEADER.size + 20, type, _REQUEST | _DUMP, 0, 0) + bytes(20))
        found: list[Item] = []
        while True:
            data = self._socket.recv(_READ_SIZE)
            at = 0
            while at + _HEADER.size <= len(data):
                length, kind, *_ = _HEADER.unpack_from(data, at)
                body = data[at + _HEADER.size : at + length]
                if kind == _NLMSG_DONE:
                    return found
                if kind == _NLMSG_ERROR:
                    raise _error(body)
                if kind in _FIXED:
                    found.append(Item(body[: _FIXED[kind]], _attributes(body[_FIXED[kind] :]), body))
                at += max(length + 3 & ~3, _HEADER.size)

    def remove(self, type: int, item: Item) -> None:
        """A RTM_DEL request for an object that was dumped."""
        self._request(type, 0, item.body)

    def restore(self, type: int, item: Item) -> None:
        """A RTM_NEW request that makes an object again as it was dumped."""
        self._request(type, _CREATE | _REPLACE, item.body)

    def _request(self, type: int, flags: int, body: bytes) -> None:
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), type, _REQUEST | _ACK | flags, 0, 0) + body)
        data = self._socket.recv(_READ_SIZE)
        error = _error(data[_HEADER.size :])
        if error.errno:
            raise error

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def _error(body: bytes) -> OSError:
    number = -int.from_bytes(body[:4], "little", signed=True)
    return OSError(number, os.strerror(number))


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            break
        found[kind & _NESTED] = data[at + _ATTRIBUTE.size : at + length]
        at += length + 3 & ~3
    return found
