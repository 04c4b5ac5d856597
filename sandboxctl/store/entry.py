"""One object of a layer, as the layer's ``entries`` file keeps it: ownership, modes, devices and attributes live here, never on
host inodes, so that an ordinary user needs no user namespace."""

from typing import Final

import msgspec

KIND_NONE, KIND_PACKED, KIND_FILE = 0, 1, 2
S_IFMT, S_IFDIR, S_IFLNK, S_IFREG = 0o170000, 0o040000, 0o120000, 0o100000
S_IFCHR, S_IFBLK, S_IFIFO = 0o020000, 0o060000, 0o010000

#: what a whiteout's name begins with (image-spec, layer.md)
WHITEOUT: Final = b".wh."
OPAQUE: Final = b".wh..wh..opq"


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """``path`` has no slash at its ends; b"" is the root. ``mode`` 0: a hard link to the path ``link``.

    ``link`` is also the text of a symbolic link. ``kind`` and ``where`` tell where contents are.
    """

    path: bytes
    mode: int
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime_ns: int = 0
    rdev: int = 0
    link: bytes = b""
    kind: int = KIND_NONE
    where: int = 0
    xattrs: tuple[tuple[bytes, bytes], ...] = ()


class LayerEntries(msgspec.Struct, array_like=True, frozen=True):
    """The ``entries`` file of a layer: its objects in the order of the archive, the bytes of its contents."""

    version: int
    entries: list[Entry]
    size: int


VERSION: Final = 1


def encode(entries: list[Entry], size: int) -> bytes:
    """The file's bytes."""
    return msgspec.msgpack.encode(LayerEntries(VERSION, entries, size))


def decode(data: bytes) -> LayerEntries:
    """The inverse of ``encode``. Raises msgspec.ValidationError, msgspec.DecodeError."""
    return msgspec.msgpack.decode(data, type=LayerEntries)
