"""The index of an image: one file that holds everything about its tree but file contents, made to be mapped and read in place.

    header | inodes | entries of directories | strings | extended attributes

An inode is a fixed record; the entries of a directory lie together, sorted by name; names and link texts are in the strings.
Contents are in the layers' folders: small files one after the other in ``pack``, larger ones in a file each, named by a number,
so that a mapping never shows a neighbour's bytes (docs/adr). ``sandboxctl.store`` writes it; all numbers are little-endian.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple, Protocol

MAGIC: Final = b"sbximg\x00\x01"
#: magic, inodes, layers, offsets of the four sections, length of the file
HEADER: Final = Struct("<8sIIQQQQQ")
#: mode uid gid nlink size mtime_ns where rdev xattrs count layer kind
INODE: Final = Struct("<IIIIQqQIIIHBx")
#: name's offset, inode number, name's length, DT_ type
ENTRY: Final = Struct("<IIHBx")
XATTR: Final = Struct("<HI")  # lengths of name and value
COUNT: Final = Struct("<H")
ROOT: Final = 1

#: where a regular file's contents are
KIND_PACKED, KIND_FILE = 1, 2
PACK_NAME: Final = b"pack"
INDEX_NAME: Final = b"index"


class Buffer(Protocol):
    """A mapped file, or bytes."""

    def __len__(self) -> int: ...
    def __getitem__(self, key: slice, /) -> bytes: ...


class Record(NamedTuple):
    """One inode. ``where``: first entry of a directory, offset in the pack, number of the file, or offset of the link text.

    ``length`` counts the entries of a directory.
    """

    mode: int
    uid: int
    gid: int
    nlink: int
    size: int
    mtime_ns: int
    where: int
    rdev: int
    xattrs: int
    length: int
    layer: int
    kind: int


class BadIndex(ValueError):
    """The file is not an index of this version."""


class ImageIndex:
    """Reads an index in place. A damaged one raises ``struct.error`` or ``BadIndex``: a bug of ours, or a bad disk."""

    __slots__ = ("_buffer", "_entries", "_inodes", "_strings", "_xattrs", "inodes", "layers")

    def __init__(self, buffer: Buffer) -> None:
        if len(buffer) < HEADER.size:
            raise BadIndex("too short")
        fields = HEADER.unpack(buffer[: HEADER.size])
        magic, self.inodes, self.layers, self._inodes, self._entries, self._strings, self._xattrs, length = fields
        if magic != MAGIC or length != len(buffer):
            raise BadIndex("another version, or cut off")
        self._buffer = buffer

    def record(self, ino: int) -> Record:
        """The inode ``ino`` (from 1)."""
        return Record._make(INODE.unpack_from(self._buffer, self._inodes + (ino - 1) * INODE.size))  # type: ignore[arg-type]

    def find(self, first: int, count: int, name: bytes) -> int:
        """The inode number of ``name`` among ``count`` entries from ``first``, 0 if there is none."""
        buffer, entries, strings = self._buffer, self._entries, self._strings
        low, high = first, first + count
        while low < high:
            middle = (low + high) // 2
            at, ino, length, _ = ENTRY.unpack_from(buffer, entries + middle * ENTRY.size)  # type: ignore[arg-type]
            found = buffer[strings + at : strings + at + length]
            if found == name:
                return int(ino)
            if found < name:
                low = middle + 1
            else:
                high = middle
        return 0

    def entries(self, first: int, count: int) -> Iterator[tuple[bytes, int, int]]:
        """(name, inode number, DT_ type) of each entry, by name."""
        buffer, strings = self._buffer, self._strings
        start = self._entries + first * ENTRY.size
        for at, ino, length, kind in ENTRY.iter_unpack(buffer[start : start + count * ENTRY.size]):
            yield buffer[strings + at : strings + at + length], ino, kind

    def text(self, record: Record) -> bytes:
        """The text of a symbolic link."""
        start = self._strings + record.where
        return self._buffer[start : start + record.size]

    def xattrs(self, record: Record) -> dict[bytes, bytes]:
        """Extended attributes by name."""
        if not record.xattrs:
            return {}
        buffer = self._buffer
        at = self._xattrs + record.xattrs - 1
        (count,) = COUNT.unpack_from(buffer, at)  # type: ignore[arg-type]
        at += COUNT.size
        found = {}
        for _ in range(count):
            name_length, value_length = XATTR.unpack_from(buffer, at)  # type: ignore[arg-type]
            at += XATTR.size
            name = buffer[at : at + name_length]
            at += name_length
            found[name] = buffer[at : at + value_length]
            at += value_length
        return found

    def walk(self, path: bytes) -> int:
        """The inode number of ``path`` below the root, following no symbolic link; 0 if there is none."""
        ino = ROOT
        for name in path.split(b"/"):
            if not name:
                continue
            record = self.record(ino)
            if record.mode & 0o170000 != 0o040000:
                return 0
            ino = self.find(record.where, record.length, name)
            if not ino:
                return 0
        return ino
