"""A link over a packet socket (packet(7)): the frames of a network interface that the sandbox has taken over.

The kernel leaves checksums and the cutting of large segments to the hardware, and a packet socket sees frames before that; with
PACKET_VNET_HDR a struct virtio_net_hdr before each says so (virtio 1.2, section 5.1.6). What the kernel has not summed is as it
sent it, and need not be looked at; what is larger than the MTU is cut and summed behind us.
"""

from _socket import socket
from collections.abc import Callable
from struct import Struct
from typing import Final

from sentry.host.link.errors import LinkLost

_SOL_PACKET: Final = 263
_PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING = 15, 23
_HEADER: Final = 10
_ETHERNET: Final = 14
_NEEDS_CHECKSUM: Final = 1
_PLAIN: Final = bytes(_HEADER)
_FRAME_MAX: Final = 65_536 + 64
_TCP_CHECKSUM_AT, _IP6_SIZE = 16, 40
_GSO_TCPV4, _GSO_TCPV6 = 1, 4
_LARGE: Final = Struct("=BBHHHH")  # flags, gso_type, hdr_len, gso_size, csum_start, csum_offset
_BURST: Final = 64


class PacketLink:
    """As ``StreamLink``; what the interface has no room for is dropped. ``cuts_segments``: see ``Link``. Owns ``fd``."""

    cuts_segments = True

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

    def transmit(self, frame: bytes) -> None:
        """Send one frame, or drop it."""
        if self.tap is not None:
            self.tap(frame, True)
        try:
            self._socket.send((_PLAIN if len(frame) <= self.mtu + _ETHERNET else large(frame, self.mtu)) + frame)
        except OSError:
            self.dropped += 1

    def flush(self) -> bool:
        """Nothing ever waits."""
        return True

    def receive(self) -> list[tuple[bytes, bool]]:
        """The frames that have come, up to a burst, and whether each TCP checksum is known to be right. Raises: LinkLost."""
        frames: list[tuple[bytes, bool]] = []
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
            is_good = False
            if data[0] & _NEEDS_CHECKSUM:
                offset = int.from_bytes(data[8:10], "little")
                is_good = offset == _TCP_CHECKSUM_AT and self.tap is None
                if not is_good:
                    frame = complete(frame, int.from_bytes(data[6:8], "little"), offset)
            frames.append((frame, is_good))
            if self.tap is not None:
                self.tap(frame, False)
        return frames

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def large(frame: bytes, mtu: int) -> bytes:
    """The struct virtio_net_hdr of a frame with a TCP segment that becomes packets of the MTU's size."""
    is_v4 = frame[_ETHERNET] >> 4 == 4
    start = _ETHERNET + ((frame[_ETHERNET] & 0xF) * 4 if is_v4 else _IP6_SIZE)
    headers = start + (frame[start + 12] >> 4) * 4
    kind = _GSO_TCPV4 if is_v4 else _GSO_TCPV6
    return _LARGE.pack(_NEEDS_CHECKSUM, kind, headers, mtu + _ETHERNET - headers, start, _TCP_CHECKSUM_AT)


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
