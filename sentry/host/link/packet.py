"""A link over a packet socket (packet(7)): the frames of a network interface that the sandbox has taken over.

The kernel leaves checksums and the cutting of large segments to the hardware, and a packet socket sees frames before that; with
PACKET_VNET_HDR a struct virtio_net_hdr before each says so, and the checksum is completed here (virtio 1.2, section 5.1.6).
"""

from _socket import SOL_SOCKET, socket
from collections.abc import Callable
from typing import Final

from sentry.host.link.errors import LinkLost

_SOL_PACKET: Final = 263
_PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING = 15, 23
_SO_RCVBUF: Final = 8
_RCVBUF: Final = 4 << 20
_HEADER: Final = 10
_ETHERNET: Final = 14
_NEEDS_CHECKSUM: Final = 1
_PLAIN: Final = bytes(_HEADER)
_FRAME_MAX: Final = 65_536 + 64
_BURST: Final = 64


class PacketLink:
    """As ``StreamLink``; what the interface has no room for is dropped. Owns ``fd``."""

    def __init__(self, fd: int, name: str, mac: bytes, mtu: int) -> None:
        self.fd = fd
        self.name, self.mac, self.mtu = name, mac, mtu
        self.tap: Callable[[bytes, bool], None] | None = None
        self.on_full: Callable[[], None] | None = None
        self.dropped = 0
        self._socket = socket(fileno=fd)
        self._socket.setblocking(False)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        self._socket.setsockopt(SOL_SOCKET, _SO_RCVBUF, _RCVBUF)

    def transmit(self, frame: bytes) -> None:
        """Send one frame, or drop it."""
        if self.tap is not None:
            self.tap(frame, True)
        try:
            self._socket.send(_PLAIN + frame)
        except OSError:
            self.dropped += 1

    def flush(self) -> bool:
        """Nothing ever waits."""
        return True

    def receive(self) -> list[bytes]:
        """The frames that have come, up to a burst. Raises: LinkLost."""
        frames: list[bytes] = []
        while len(frames) < _BURST:
            try:
                data = self._socket.recv(_FRAME_MAX)
            except BlockingIOError:
                break
            except OSError as error:
                if frames:
                    break
                raise LinkLost(str(error)) from error
            if len(data) < _HEADER + _ETHERNET:
                continue
            frame = data[_HEADER:]
            if data[0] & _NEEDS_CHECKSUM:
                frame = complete(frame, int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little"))
            frames.append(frame)
            if self.tap is not None:
                self.tap(frame, False)
        return frames

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def complete(frame: bytes, start: int, offset: int) -> bytes:
    """The frame with the checksum over what follows ``start`` at ``start + offset``, where the pseudo-header's sum is.

    Numbers that lie outside the frame leave it as it is: the stack then drops it for its checksum.
    """
    at = start + offset
    if at + 2 > len(frame):
        return frame
    data = frame[start:] + bytes((len(frame) - start) & 1)
    total = sum(memoryview(data).cast("H")) if len(data) else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return frame[:at] + ((~total & 0xFFFF) or 0xFFFF).to_bytes(2, "little") + frame[at + 2 :]
