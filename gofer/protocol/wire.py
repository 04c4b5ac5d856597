"""Frames and field kinds of the gofer protocol.

A frame is one packet of a SOCK_SEQPACKET socket, so its length is the packet's. A request is a header (id, operation) and
fields; a reply is a header (id, errno, flags) and fields. Many requests may be under way; replies bear the request's id.
All numbers are little-endian. Decoding validates everything: whatever is not exactly a message raises ``ProtocolError``.
"""

from struct import Struct
from struct import error as StructError

TYPE_CHECKING = False  # not typing's: the gofer starts without that import
if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = 1
FRAME_MAX = 65536
PATH_COMPONENTS_MAX = 64
NAME_MAX = 255
NAMES_MAX = 32  # in one OPENMANY, and so the descriptors in one reply

REQUEST = Struct("<IBBH")  # id, operation, version, zero
REPLY = Struct("<IHH")  # id, errno, flags
FLAG_MORE = 1  # further frames of this reply follow

Place = tuple[int, tuple[bytes, ...]]


class ProtocolError(Exception):
    """The peer sent something that is not a message of this protocol."""


class Kind:
    """How one field is written and read. ``decode(body, position)`` returns (value, next position)."""

    __slots__ = ("decode", "encode", "name")

    def __init__(
        self, name: str, encode: "Callable[[object], bytes]", decode: "Callable[[bytes, int], tuple[object, int]]"
    ) -> None:
        self.name = name
        self.encode = encode
        self.decode = decode


def _number(name: str, layout: str) -> Kind:
    packed = Struct(layout)
    pack, unpack, size = packed.pack, packed.unpack_from, packed.size

    def decode(body: bytes, position: int) -> tuple[object, int]:
        return unpack(body, position)[0], position + size

    return Kind(name, pack, decode)


def blob(name: str, layout: str, longest: int) -> Kind:
    """A field of bytes with its length before it."""
    packed = Struct(layout)

    def encode(value: object) -> bytes:
        assert isinstance(value, (bytes, bytearray, memoryview))
        return packed.pack(len(value)) + value

    def decode(body: bytes, position: int) -> tuple[object, int]:
        (length,) = packed.unpack_from(body, position)
        start = position + packed.size
        if length > longest or start + length > len(body):
            raise ProtocolError("field longer than its frame")
        return body[start : start + length], start + length

    return Kind(name, encode, decode)


_DOTS = frozenset((b".", b".."))


def is_name(name: bytes) -> bool:
    """Whether ``name`` may be one component: no slash, no NUL, neither `.` nor `..`, 1 to 255 bytes."""
    return 0 < len(name) <= NAME_MAX and b"/" not in name and b"\0" not in name and name not in _DOTS


def _encode_name(value: object) -> bytes:
    assert isinstance(value, bytes)
    return bytes((len(value),)) + value


def _decode_name(body: bytes, position: int) -> tuple[bytes, int]:
    end = position + 1 + body[position]
    name = body[position + 1 : end]
    if end > len(body) or not is_name(name):
        raise ProtocolError("not a file name")
    return name, end


def _encode_names(value: object) -> bytes:
    names: tuple[bytes, ...] = value  # type: ignore[assignment]
    return bytes((len(names),)) + b"".join([bytes((len(name),)) + name for name in names])


def _decode_names(body: bytes, position: int) -> tuple[tuple[bytes, ...], int]:
    count = body[position]
    position += 1
    if count > NAMES_MAX:
        raise ProtocolError("too many names")
    names = []
    for _ in range(count):
        name, position = _decode_name(body, position)
        names.append(name)
    return tuple(names), position


_PLACE = Struct("<IB")


def _encode_place(value: object) -> bytes:
    node: int
    names: tuple[bytes, ...]
    node, names = value  # type: ignore[misc]
    return _PLACE.pack(node, len(names)) + b"".join([bytes((len(name),)) + name for name in names])


def _decode_place(body: bytes, position: int) -> tuple[Place, int]:
    node, count = _PLACE.unpack_from(body, position)
    position += 5
    if count > PATH_COMPONENTS_MAX:
        raise ProtocolError("too many components")
    names = []
    for _ in range(count):
        name, position = _decode_name(body, position)
        names.append(name)
    return (node, tuple(names)), position


def _encode_ids(value: object) -> bytes:
    ids: list[int] = value  # type: ignore[assignment]
    return Struct(f"<H{len(ids)}I").pack(len(ids), *ids)


def _decode_ids(body: bytes, position: int) -> tuple[object, int]:
    (count,) = Struct("<H").unpack_from(body, position)
    layout = Struct(f"<{count}I")
    return layout.unpack_from(body, position + 2), position + 2 + layout.size


def _decode_rest(body: bytes, position: int) -> tuple[object, int]:
    return body[position:], len(body)


U8 = _number("u8", "<B")
U16 = _number("u16", "<H")
U32 = _number("u32", "<I")
U64 = _number("u64", "<Q")
I64 = _number("i64", "<q")
TEXT = blob("text", "<H", 4096)  # link targets, extended attributes' names
DATA = blob("data", "<I", FRAME_MAX)
REST = Kind("rest", bytes, _decode_rest)  # type: ignore[arg-type]  # records or file data up to the frame's end
NAME = Kind("name", _encode_name, _decode_name)
NAMES = Kind("names", _encode_names, _decode_names)  # of one folder
PLACE = Kind("place", _encode_place, _decode_place)  # a node and the names below it
IDS = Kind("ids", _encode_ids, _decode_ids)


def encode(kinds: tuple[Kind, ...], values: tuple[object, ...]) -> bytes:
    """Write ``values`` as fields of ``kinds``."""
    return b"".join([kind.encode(value) for kind, value in zip(kinds, values, strict=True)])


def decode(kinds: tuple[Kind, ...], body: bytes, position: int = 0) -> list[object]:
    """Read exactly the fields ``kinds`` from ``body``. Raises: ProtocolError."""
    values = []
    try:
        for kind in kinds:
            value, position = kind.decode(body, position)
            values.append(value)
    except (StructError, IndexError) as error:
        raise ProtocolError("frame too short") from error
    if position != len(body):
        raise ProtocolError("bytes after the last field")
    return values
