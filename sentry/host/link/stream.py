"""A link over a stream socket: each Ethernet frame behind its length in four bytes, big-endian (passt(1))."""

from _socket import MSG_NOSIGNAL, socket
from collections.abc import Callable
from typing import Final

from sentry.host.link.errors import LinkLost

_READ_SIZE: Final = 256 << 10
_PREFIX: Final = 4
_HEADER: Final = 14
_FRAME_MAX: Final = 65_535 + _HEADER
#: what waits because the socket is full; beyond it frames are dropped, as on any wire
_QUEUE_MAX: Final = 1 << 20


class StreamLink:
    """``transmit`` never waits. ``on_full`` is called when a frame had to be kept back: ``flush`` is wanted once there is room.

    ``tap`` sees every frame, with whether it goes out. Owns ``fd``.
    """

    cuts_segments = False

    def __init__(self, fd: int, name: str, mac: bytes, mtu: int) -> None:
        self.fd = fd
        self.name, self.mac, self.mtu = name, mac, mtu
        self.tap: Callable[[bytes, bool], None] | None = None
        self.on_full: Callable[[], None] | None = None
        self.dropped = 0
        self._socket = socket(fileno=fd)
        self._socket.setblocking(False)
        self._received = bytearray()
        self._queue = bytearray()

    def transmit(self, frame: bytes) -> None:
        """Send one frame; with too much waiting it is dropped."""
        if self.tap is not None:
            self.tap(frame, True)
        data = len(frame).to_bytes(_PREFIX, "big") + frame
        if self._queue:
            if len(self._queue) + len(data) > _QUEUE_MAX:
                self.dropped += 1
            else:
                self._queue += data
            return
        done = self._send(data)
        if done < len(data):
            self._queue += data[done:]
            if self.on_full is not None:
                self.on_full()

    def flush(self) -> bool:
        """Send what waits, as far as there is room; whether nothing waits now."""
        if self._queue:
            del self._queue[: self._send(self._queue)]
        return not self._queue

    def _send(self, data: bytes | bytearray) -> int:
        """The count of bytes that left. An error shows at the next ``receive``: until then frames are lost."""
        try:
            return self._socket.send(data, MSG_NOSIGNAL)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)

    def receive(self) -> list[tuple[bytes, bool]]:
        """The frames that have come, as many as one read brings; no checksum was looked at. Raises: LinkLost."""
        try:
            data = self._socket.recv(_READ_SIZE)
        except BlockingIOError:
            return []
        except OSError as error:
            raise LinkLost(str(error)) from error
        if not data:
            raise LinkLost("closed by the other side")
        buffer = self._received
        buffer += data
        frames: list[tuple[bytes, bool]] = []
        at, end = 0, len(buffer)
        while end - at >= _PREFIX:
            length = int.from_bytes(buffer[at : at + _PREFIX], "big")
            if not _HEADER <= length <= _FRAME_MAX:
                raise LinkLost(f"a frame of {length} bytes")
            if end - at - _PREFIX < length:
                break
            frames.append((bytes(buffer[at + _PREFIX : at + _PREFIX + length]), False))
            at += _PREFIX + length
        del buffer[:at]
        if self.tap is not None:
            for frame, _ in frames:
                self.tap(frame, False)
        return frames

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
