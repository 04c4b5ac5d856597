"""Which socket has which port (ip(7); socket(7), SO_REUSEADDR and SO_REUSEPORT).

Linux: net/ipv4/inet_connection_sock.c, inet_csk_bind_conflict(); net/ipv4/udp.c, udp_lib_lport_inuse().
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from sentry.socket.inet.address import ANY4, ANY6, Endpoint
from syscalls.abi.errno import EADDRINUSE
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import SO_REUSEADDR, SO_REUSEPORT

if TYPE_CHECKING:
    from sentry.socket.inet.base import InetSocket

EPHEMERAL_FIRST: Final = 32768
EPHEMERAL_LAST: Final = 60999


class PortTable:
    """The bound sockets of one protocol in one network namespace."""

    __slots__ = ("_by_port", "_next")

    def __init__(self, start: int) -> None:
        self._by_port: dict[int, WeakSet[InetSocket]] = {}
        self._next = EPHEMERAL_FIRST + start % (EPHEMERAL_LAST - EPHEMERAL_FIRST + 1)

    def on(self, port: int) -> "Iterable[InetSocket]":
        """The sockets that have ``port``."""
        return tuple(self._by_port.get(port, ()))

    def __iter__(self) -> "Iterator[InetSocket]":
        for sockets in tuple(self._by_port.values()):
            yield from tuple(sockets)

    def take(self, socket: "InetSocket", endpoint: Endpoint) -> int:
        """Enter ``socket`` for ``endpoint``, whose port 0 means any free one; return the port. Errors: EADDRINUSE."""
        port = endpoint.port or self._free(socket, endpoint.address)
        if endpoint.port and any(_conflict(socket, endpoint.address, other) for other in self.on(port)):
            raise SyscallError(EADDRINUSE)
        self.add(socket, port)
        return port

    def add(self, socket: "InetSocket", port: int) -> None:
        """Enter a socket that shares its listener's port."""
        self._by_port.setdefault(port, WeakSet()).add(socket)

    def drop(self, socket: "InetSocket", port: int) -> None:
        """Forget ``socket``."""
        sockets = self._by_port.get(port)
        if sockets is not None:
            sockets.discard(socket)
            if not sockets:
                del self._by_port[port]

    def _free(self, socket: "InetSocket", address: bytes) -> int:
        for _ in range(EPHEMERAL_LAST - EPHEMERAL_FIRST + 1):
            port = self._next
            self._next = port + 1 if port < EPHEMERAL_LAST else EPHEMERAL_FIRST
            if port not in self._by_port:
                return port
        raise SyscallError(EADDRINUSE)


def _conflict(socket: "InetSocket", address: bytes, other: "InetSocket") -> bool:
    if other is socket or not _overlap(socket, address, other):
        return False
    if SO_REUSEPORT in socket.flags_set and SO_REUSEPORT in other.flags_set and socket.uid == other.uid:
        return False
    both_reuse = SO_REUSEADDR in socket.flags_set and SO_REUSEADDR in other.flags_set
    return not both_reuse or other.is_listening


def _overlap(socket: "InetSocket", address: bytes, other: "InetSocket") -> bool:
    theirs = other.local.address
    if address == theirs:
        return True
    if address == ANY6:
        return theirs[:12] != ANY4[:12] or not socket.is_v6only
    if theirs == ANY6:
        return address[:12] != ANY4[:12] or not other.is_v6only
    if ANY4 in (address, theirs):
        return address[:12] == theirs[:12]
    return False
