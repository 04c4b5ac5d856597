"""The control protocol: what the starter (command line, Python API) and a sentry say to each other.

A message is a frame on a stream socket: four bytes of length, then one dictionary in the encoding below; descriptors
travel beside the frame's first byte (SCM_RIGHTS) and its entry ``fds`` says how many belong to it. The encoding is
bencode with a few more types (``i1e`` integer, ``3:abc`` bytes, ``u3:abc`` text, ``l..e`` list, ``d..e`` dictionary,
``t f n`` constants): guest strings are bytes, and no import is needed, which a start that must be fast notices. Either
side treats the other as untrusted: lengths are bounded.

Keys of every message: ``kind``. The kinds and their keys are listed in docs/architecture.md, section "Control socket".
"""

from _socket import CMSG_LEN, MSG_NOSIGNAL, SCM_RIGHTS, SOL_SOCKET, socket
from os import close

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Message = dict[str, Any]

FRAME_MAX = 16 << 20
DEPTH_MAX = 8
FDS_MAX = 64
_READ_SIZE = 1 << 16
_MSG_CMSG_CLOEXEC = 0x40000000


class ProtocolError(Exception):
    """The peer sent something that is not the protocol."""


class ChannelClosed(Exception):
    """The peer is gone."""


def encode(value: object) -> bytes:
    """Return the encoding of ``value``. Raises TypeError for a type that the protocol does not have."""
    out = bytearray()
    _encode(value, out)
    return bytes(out)


def _encode(value: object, out: bytearray) -> None:
    if value is None:
        out += b"n"
    elif value is True:
        out += b"t"
    elif value is False:
        out += b"f"
    elif isinstance(value, int):
        out += b"i%de" % value
    elif isinstance(value, bytes):
        out += b"%d:" % len(value) + value
    elif isinstance(value, str):
        data = value.encode("utf-8", "surrogateescape")
        out += b"u%d:" % len(data) + data
    elif isinstance(value, list | tuple):
        out += b"l"
        for item in value:
            _encode(item, out)
        out += b"e"
    elif isinstance(value, dict):
        out += b"d"
        for key, item in value.items():
            _encode(key, out)
            _encode(item, out)
        out += b"e"
    else:
        raise TypeError(f"the control protocol has no type for {type(value).__name__}")


def decode(data: bytes) -> object:
    """Return the one value that ``data`` encodes. Raises ProtocolError."""
    try:
        value, end = _decode(data, 0, 0)
    except (ValueError, IndexError, UnicodeDecodeError, TypeError) as error:
        raise ProtocolError(f"malformed message: {error}") from error
    if end != len(data):
        raise ProtocolError("bytes after the message")
    return value


def _decode(data: bytes, at: int, depth: int) -> "tuple[Any, int]":
    if depth > DEPTH_MAX:
        raise ProtocolError("nested too deeply")
    mark = data[at : at + 1]
    if mark in {b"n", b"t", b"f"}:
        return {b"n": None, b"t": True, b"f": False}[mark], at + 1
    if mark == b"i":
        end = data.index(b"e", at, at + 24)
        return int(data[at + 1 : end]), end + 1
    if mark in {b"l", b"d"}:
        items = []
        at += 1
        while data[at : at + 1] != b"e":
            item, at = _decode(data, at, depth + 1)
            items.append(item)
        if mark == b"l":
            return items, at + 1
        return dict(zip(items[::2], items[1::2], strict=True)), at + 1
    is_text = mark == b"u"
    start = at + is_text
    colon = data.index(b":", start, start + 12)
    end = colon + 1 + int(data[start:colon])
    if end <= colon or end > len(data):
        raise ProtocolError("string longer than its message")
    content = data[colon + 1 : end]
    return (content.decode("utf-8", "surrogateescape") if is_text else content), end


class ControlChannel:
    """One end of the control socket. Owns the socket and every received descriptor until a message hands it out."""

    def __init__(self, sock: socket) -> None:
        self._socket = sock
        self._buffer = bytearray()
        self._fds: list[int] = []

    def fileno(self) -> int:
        """The descriptor, to poll for input."""
        return self._socket.fileno()

    def send(self, kind: str, fds: "Sequence[int]" = (), **fields: object) -> None:
        """Send one message; ``fds`` are duplicated to the peer. Raises ChannelClosed."""
        body = encode({"kind": kind, "fds": len(fds), **fields})
        frame = len(body).to_bytes(4, "little") + body
        ancillary = []
        if fds:
            ancillary.append((SOL_SOCKET, SCM_RIGHTS, b"".join(fd.to_bytes(4, "little") for fd in fds)))
        try:
            sent = self._socket.sendmsg([frame], ancillary, MSG_NOSIGNAL)
            if sent < len(frame):
                self._socket.sendall(frame[sent:], MSG_NOSIGNAL)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ChannelClosed from error

    def receive(self) -> "list[tuple[Message, list[int]]]":
        """Read once (blocks if there is nothing) and return the messages that are complete now, with their descriptors.

        Raises ChannelClosed at the end of the stream, ProtocolError.
        """
        try:
            data, ancillary, _flags, _address = self._socket.recvmsg(_READ_SIZE, CMSG_LEN(4 * FDS_MAX), _MSG_CMSG_CLOEXEC)
        except ConnectionResetError as error:
            raise ChannelClosed from error
        for level, kind, raw in ancillary:
            if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
                self._fds += [int.from_bytes(raw[i : i + 4], "little") for i in range(0, len(raw) // 4 * 4, 4)]
        if not data:
            raise ChannelClosed
        self._buffer += data
        messages = []
        while (message := self._take()) is not None:
            messages.append(message)
        return messages

    def _take(self) -> "tuple[Message, list[int]] | None":
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        length = int.from_bytes(buffer[:4], "little")
        if length > FRAME_MAX:
            raise ProtocolError("message too long")
        if len(buffer) < 4 + length:
            return None
        message = decode(bytes(buffer[4 : 4 + length]))
        del buffer[: 4 + length]
        if not isinstance(message, dict) or not isinstance(message.get("kind"), str):
            raise ProtocolError("message without a kind")
        count = message.get("fds", 0)
        if not isinstance(count, int) or not 0 <= count <= len(self._fds):
            raise ProtocolError("descriptors are missing")
        fds, self._fds = self._fds[:count], self._fds[count:]
        return message, fds

    def close(self) -> None:
        """Close the socket and the descriptors that no message has claimed."""
        for fd in self._fds:
            close(fd)
        self._fds.clear()
        self._socket.close()
