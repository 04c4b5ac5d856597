"""Host sockets of the network gofer: how they are made, and what an error of theirs means to a guest."""

import errno
from _socket import (
    AF_INET,
    AF_INET6,
    SO_ERROR,
    SO_LINGER,
    SOCK_CLOEXEC,
    SOCK_NONBLOCK,
    SOL_SOCKET,
    inet_ntop,
    inet_pton,
    socket,
)
from contextlib import suppress
from struct import Struct

from sentry.netstack.stack import Stack
from sentry.netstack.wire import icmp
from sentry.netstack.wire.packet import Packet

_LINGER = Struct("ii")
_ADMINISTRATIVELY_PROHIBITED = 13
#: errno -> the code of "destination unreachable" (RFC 792 with RFC 1812 section 5.2.7.1; RFC 4443 section 3.1)
_CODES = {
    errno.ECONNREFUSED: (icmp.PORT_UNREACHABLE, icmp.PORT_UNREACHABLE6),
    errno.ENETUNREACH: (icmp.NET_UNREACHABLE, icmp.NO_ROUTE6),
    errno.EACCES: (_ADMINISTRATIVELY_PROHIBITED, icmp.PROHIBITED6),
    errno.EPERM: (_ADMINISTRATIVELY_PROHIBITED, icmp.PROHIBITED6),
}
_OTHERS = (icmp.HOST_UNREACHABLE, icmp.ADDRESS_UNREACHABLE6)


def binary(text: str) -> bytes:
    """The 4 or 16 bytes of an address. Raises OSError."""
    return inet_pton(AF_INET6 if ":" in text else AF_INET, text)


def family_of(address: bytes) -> int:
    """AF_INET or AF_INET6."""
    return AF_INET if len(address) == 4 else AF_INET6


def open_socket(family: int, kind: int, protocol: int = 0) -> socket:
    """A socket that never waits. Raises OSError."""
    return socket(family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol)


def connect(host: socket, address: bytes, port: int) -> int:
    """Begin to connect; 0, EINPROGRESS, or an error."""
    return host.connect_ex((inet_ntop(family_of(address), address), port))


def error_of(host: socket) -> int:
    """SO_ERROR."""
    return host.getsockopt(SOL_SOCKET, SO_ERROR)


def reset(host: socket) -> None:
    """Close with a reset."""
    with suppress(OSError):  # it may not be connected any more
        host.setsockopt(SOL_SOCKET, SO_LINGER, _LINGER.pack(1, 0))
    host.close()


def refuse(stack: Stack, packet: Packet, error: int) -> None:
    """Tell the guest by ICMP why its packet went nowhere."""
    stack.icmp.send_unreachable(packet, *_CODES.get(error, _OTHERS))
    stack.drain()
