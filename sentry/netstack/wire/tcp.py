"""TCP segments and their options (RFC 9293 section 3.1, RFC 7323, RFC 2018)."""

import struct

from sentry.netstack.wire.checksum import finish, residue

# --- fields --------------------------------------------------------------------------------------------------------------------
_HEADER = struct.Struct(">HHIIBBHHH")
HEADER = 20
PROTOCOL = 6
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
_END, _NOP, _MSS, _SCALE, _SACK_PERMITTED, _SACK, _TIMESTAMP = 0, 1, 2, 3, 4, 5, 8
_STAMPS = struct.Struct(">II")
_STAMP_HEAD = b"\x01\x01\x08\x0a"
SCALE_MAX = 14


class Segment:
    """One segment; options that were not there are None (``sacks``: empty). Numbers are as on the wire, modulo 2**32."""

    __slots__ = ("ack", "flags", "is_sack_permitted", "mss", "payload", "port", "sacks", "scale", "seq", "source_port", "stamp",
                 "stamp_echo", "window")  # fmt: skip

    def __init__(self, source_port: int, port: int, seq: int, ack: int, flags: int, window: int, payload: bytes) -> None:
        self.source_port = source_port
        self.port = port
        self.seq = seq
        self.ack = ack
        self.flags = flags
        self.window = window
        self.payload = payload
        self.mss: int | None = None
        self.scale: int | None = None
        self.is_sack_permitted = False
        self.stamp: int | None = None
        self.stamp_echo = 0
        self.sacks: list[tuple[int, int]] = []

    @property
    def length(self) -> int:
        """The sequence numbers it takes: SYN and FIN count one each."""
        return len(self.payload) + (self.flags & FIN) + (self.flags >> 1 & 1)


def parse(data: bytes, pseudo: int, *, is_checked: bool = False) -> Segment | None:
    """None: too short, a bad length or (unless ``is_checked``) checksum.

    Malformed options end the options (RFC 9293 MUST-7 asks not to crash).
    """
    if len(data) < HEADER:
        return None
    source_port, port, seq, ack, offset, flags, window, _, _ = _HEADER.unpack_from(data)
    size = (offset >> 4) * 4
    if not HEADER <= size <= len(data) or (not is_checked and (pseudo + len(data) + residue(data)) % 0xFFFF):
        return None
    segment = Segment(source_port, port, seq, ack, flags, window, data[size:])
    if size == 32 and data[20:24] == _STAMP_HEAD:
        segment.stamp, segment.stamp_echo = _STAMPS.unpack_from(data, 24)
    elif size > HEADER:
        _parse_options(segment, data[HEADER:size])
    return segment


def _parse_options(segment: Segment, options: bytes) -> None:
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == _END:
            return
        if kind == _NOP:
            at += 1
            continue
        if at + 1 >= len(options) or options[at + 1] < 2 or at + options[at + 1] > len(options):
            return
        _set_option(segment, kind, options[at + 2 : at + options[at + 1]])
        at += options[at + 1]


def _set_option(segment: Segment, kind: int, value: bytes) -> None:
    size = len(value)
    if kind == _TIMESTAMP and size == 8:
        segment.stamp, segment.stamp_echo = _STAMPS.unpack(value)
    elif kind == _SACK and size and size % 8 == 0:
        segment.sacks = [_STAMPS.unpack_from(value, at) for at in range(0, size, 8)]
    elif segment.flags & SYN:
        if kind == _MSS and size == 2:
            segment.mss = int.from_bytes(value, "big")
        elif kind == _SCALE and size == 1:
            segment.scale = min(value[0], SCALE_MAX)  # RFC 7323 section 2.3
        elif kind == _SACK_PERMITTED and size == 0:
            segment.is_sack_permitted = True


def options_of(segment: Segment) -> bytes:
    """The options' bytes, padded to words; the order is Linux's."""
    parts: list[bytes] = []
    if segment.mss is not None:
        parts.append(b"\x02\x04" + segment.mss.to_bytes(2, "big"))
    if segment.is_sack_permitted:
        parts.append(b"\x04\x02" if segment.stamp is not None else b"\x01\x01\x04\x02")
    if segment.stamp is not None:
        head = b"\x08\x0a" if segment.is_sack_permitted else _STAMP_HEAD
        parts.append(head + _STAMPS.pack(segment.stamp, segment.stamp_echo))
    if segment.scale is not None:
        parts.append(b"\x01\x03\x03" + bytes((segment.scale,)))
    if segment.sacks:
        parts.append(b"\x01\x01\x05" + bytes((2 + 8 * len(segment.sacks),)))
        parts.extend(_STAMPS.pack(left & 0xFFFFFFFF, right & 0xFFFFFFFF) for left, right in segment.sacks)
    return b"".join(parts)


def emit(segment: Segment, pseudo: int) -> bytes:
    """A segment with its checksum."""
    return emit_with(segment.source_port, segment.port, segment.seq, segment.ack, segment.flags, segment.window,
                     options_of(segment), segment.payload, pseudo)  # fmt: skip


def emit_with(  # noqa: PLR0913 - the header's fields; the hot path makes no Segment
    source_port: int, port: int, seq: int, ack: int, flags: int, window: int, options: bytes, payload: bytes, pseudo: int
) -> bytes:
    """A segment with its checksum."""
    offset = (HEADER + len(options)) << 2
    head = _HEADER.pack(source_port, port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, offset, flags, window, 0, 0) + options
    total = finish(pseudo + len(head) + len(payload) + residue(head) + residue(payload))
    return b"".join((head[:16], total.to_bytes(2, "big"), head[18:], payload))


def emit_large(  # noqa: PLR0913 - as emit_with
    source_port: int, port: int, seq: int, ack: int, flags: int, window: int, options: bytes, payload: bytes, pseudo: int
) -> bytes:
    """A segment that the link cuts: where the checksum will be stands the sum of the pseudo-header."""
    size = HEADER + len(options)
    total = (pseudo + size + len(payload)) % 0xFFFF
    head = _HEADER.pack(source_port, port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, size << 2, flags, window, total, 0)
    return b"".join((head, options, payload))


def stamp_options(stamp: int, echo: int) -> bytes:
    """The timestamp option alone."""
    return _STAMP_HEAD + _STAMPS.pack(stamp & 0xFFFFFFFF, echo)
