"""Host sockets of the network gofer: how they are made, and what an error of theirs means to a guest."""

import errno
from _socket import AF_INET, SO_ERROR, SO_LINGER, SOCK_CLOEXEC, SOCK_NONBLOCK, SOL_SOCKET, inet_ntop, socket
from contextlib import suppress
from struct import Struct

from sentry.netstack.stack import Stack
from sentry.netstack.wire import icmp
from sentry.netstack.wire.packet import Packet

_LINGER = Struct("ii")
_PORT_UNREACHABLE, _HOST_UNREACHABLE, _NET_UNREACHABLE, _PROHIBITED = 3, 1, 0, 13
_CODES = {
    errno.ECONNREFUSED: _PORT_UNREACHABLE,
    errno.ENETUNREACH: _NET_UNREACHABLE,
    errno.EACCES: _PROHIBITED,
    errno.EPERM: _PROHIBITED,
}


def open_socket(kind: int, protocol: int = 0) -> socket:
    """A socket that never waits. Raises OSError."""
    return socket(AF_INET, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol)


def connect(host: socket, address: bytes, port: int) -> int:
    """Begin to connect; 0, EINPROGRESS, or an error."""
    return host.connect_ex((inet_ntop(AF_INET, address), port))


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
    stack.icmp.send_error(packet, icmp.UNREACHABLE, _CODES.get(error, _HOST_UNREACHABLE))
    stack.drain()
