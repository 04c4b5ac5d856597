"""Decodes the gofer's attribute records."""

from gofer.protocol.attr import (
    ATTR,
    ATTR_SIZE,
    ENTRY_SIZE,
    ENTRY_TAIL,
    FLAG_PARTIAL,
    FLAG_VEILED,
    NODE_HEAD,
    STEP_SIZE,
    STEP_TAIL,
)
from sentry.vfs.stat import Attr

S_IFMT, S_IFDIR = 0o170000, 0o040000


class Record:
    """One object as the gofer saw it. ``node`` is 0 unless it is a directory that got one; ``link`` a symbolic link's text."""

    __slots__ = ("attr", "dev", "is_partial", "is_veiled", "link", "node", "watch")

    def __init__(self, body: bytes, position: int) -> None:
        (
            ino, mode, nlink, uid, gid, size, blocks, blksize, rdev, dev, atime, mtime, ctime, btime,
        ) = ATTR.unpack_from(body, position)  # fmt: skip
        self.attr = Attr(ino, mode, nlink, uid, gid, size, blocks, blksize, rdev, atime, mtime, ctime, btime)
        self.dev: int = dev
        self.node = 0
        self.watch = 0
        self.link = b""
        self.is_veiled = False
        self.is_partial = False


def decode_steps(body: bytes, position: int) -> list[Record]:
    """The records of a WALK reply."""
    records = []
    while position < len(body):
        record = Record(body, position)
        record.node, record.watch, flags, link_length = STEP_TAIL.unpack_from(body, position + ATTR_SIZE)
        position += STEP_SIZE
        record.is_veiled = bool(flags & FLAG_VEILED)
        record.link = body[position : position + link_length]
        position += link_length
        records.append(record)
    return records


class Listing:
    """A directory's entries as they came in the frames of a READDIR, decoded when somebody asks: names to (frame, position)."""

    __slots__ = ("_at",)

    def __init__(self, frames: list[bytes]) -> None:
        at: dict[bytes, tuple[bytes, int]] = {}
        unpack = ENTRY_TAIL.unpack_from
        first = NODE_HEAD.size + ATTR_SIZE  # node, watch and attributes of the folder itself
        for frame in frames:
            position, end, first = first, len(frame), 0
            while position < end:
                link_length, name_length, _ = unpack(frame, position + ATTR_SIZE)
                start = position + ENTRY_SIZE
                at[frame[start : start + name_length]] = (frame, position)
                position = start + name_length + link_length
        self._at = at

    def __len__(self) -> int:
        return len(self._at)

    def heads(self) -> list[tuple[bytes, int, int, int]]:
        """(name, ino, mode, dev) of every entry, in the folder's order."""
        unpack = ATTR.unpack_from
        heads = []
        for name, (frame, position) in self._at.items():
            fields = unpack(frame, position)
            heads.append((name, fields[0], fields[1], fields[9]))
        return heads

    def folders(self, size_max: int) -> list[bytes]:
        """The names of the folders that are not veiled and no larger than ``size_max`` bytes, in the folder's order."""
        unpack, unpack_tail = ATTR.unpack_from, ENTRY_TAIL.unpack_from
        names = []
        for name, (frame, position) in self._at.items():
            fields = unpack(frame, position)
            if fields[1] & S_IFMT == S_IFDIR and fields[5] <= size_max and not unpack_tail(frame, position + ATTR_SIZE)[2]:
                names.append(name)
        return names

    def find(self, name: bytes) -> Record | None:
        """The record of ``name``, or None."""
        found = self._at.get(name)
        if found is None:
            return None
        frame, position = found
        record = Record(frame, position)
        link_length, name_length, flags = ENTRY_TAIL.unpack_from(frame, position + ATTR_SIZE)
        start = position + ENTRY_SIZE + name_length
        record.link = frame[start : start + link_length]
        record.is_veiled = bool(flags & FLAG_VEILED)
        record.is_partial = bool(flags & FLAG_PARTIAL)
        return record
