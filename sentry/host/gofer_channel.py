"""The sentry's end of a gofer's socket, and the descriptors that come through it.

``_socket`` is used without its Python half: that costs 5 ms of import. Spec: unix(7), SOCK_SEQPACKET and SCM_RIGHTS.
"""

import os
from _socket import socket
from select import POLLIN, POLLOUT, poll

_SCM_SPACE = 16 + 4 * 32  # CMSG_SPACE of the descriptors that one packet may bring
_NONE: tuple[int, ...] = ()
_MSG_CMSG_CLOEXEC = 0x40000000
_PACKET_MAX = 65536


class ChannelClosed(Exception):
    """The gofer is gone."""


class GoferChannel:
    """Packets to and from one gofer; never blocks except in ``wait``. Owns ``fd``."""

    __slots__ = ("_socket", "fd")

    def __init__(self, fd: int) -> None:
        self._socket = socket(fileno=fd)
        self._socket.setblocking(False)
        self.fd = fd

    def send(self, packet: bytes) -> bool:
        """Send one packet; False if the socket is full. Raises: ChannelClosed."""
        try:
            self._socket.send(packet)
        except BlockingIOError:
            return False
        except OSError as error:
            raise ChannelClosed from error
        return True

    def receive(self) -> tuple[bytes, tuple[int, ...]] | None:
        """Return (packet, donated descriptors), None if there is none now. Raises: ChannelClosed."""
        try:
            packet, ancillary, _, _ = self._socket.recvmsg(_PACKET_MAX, _SCM_SPACE, _MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ChannelClosed from error
        if not packet:
            raise ChannelClosed
        if not ancillary:
            return packet, _NONE
        data = ancillary[0][2]
        return packet, tuple(int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4))

    def wait(self, *, for_room: bool = False) -> None:
        """Sleep until a packet is there (or one can be sent): only before the event loop runs, and in tests."""
        poller = poll()
        poller.register(self.fd, POLLOUT if for_room else POLLIN)
        poller.poll()

    def close(self) -> None:
        """Close the socket: the gofer ends."""
        self._socket.close()


def close_descriptor(fd: int) -> None:
    """Close a donated descriptor."""
    os.close(fd)


def read_events(fd: int) -> bytes | None:
    """Return queued inotify(7) events, None if there are none."""
    try:
        return os.read(fd, 65536)
    except OSError:
        return None


def size_of(fd: int) -> int:
    """The size of a donated regular file now."""
    return os.lseek(fd, 0, os.SEEK_END)
