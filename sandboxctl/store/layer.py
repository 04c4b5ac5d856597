"""Applies a layer once: from a tar archive to a folder with ``entries``, ``pack`` and the larger files, named by number.

The folder is made under another name and renamed when it is complete, so it is there in full or not at all.
"""

import os
import tarfile
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from sandboxctl.store.archive import Archive
from sandboxctl.store.entry import KIND_FILE, KIND_PACKED, WHITEOUT, Entry, encode
from sandboxctl.store.errors import ImageError
from sandboxctl.store.stream import CHUNK, HashingReader, Readable, decompressed

PACKED_MAX: Final = 16 << 10  # larger files get a host file of their own
LAYER_BYTES_MAX: Final = 64 << 30
MEMBERS_MAX: Final = 500_000
FREE_MIN: Final = 64 << 20  # what a layer leaves free on the disk
ENTRIES_NAME: Final = "entries"
PACK_NAME: Final = "pack"


class _Contents:
    """Writes contents into a layer's folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._pack = _create(os.path.join(folder, PACK_NAME))
        self._pack_size = 0
        self._files = 0
        self._free = _free(folder)
        self.total = 0

    def put(self, entry: Entry, source: Readable) -> Entry:
        """Store the contents of a regular file; returns the entry with its place. Raises ImageError."""
        if entry.size > LAYER_BYTES_MAX - self.total:
            raise ImageError(f"a layer holds more than {LAYER_BYTES_MAX >> 30} GiB: refused")
        if self.total + entry.size > self._free - FREE_MIN:
            raise ImageError("not enough free space for the image; make room, or choose another place with SANDBOXCTL_STORE")
        self.total += entry.size
        if entry.size <= PACKED_MAX:
            data = _exactly(source, entry.size)
            where = self._pack_size
            _write(self._pack, data)
            self._pack_size += len(data)
            return replace(entry, kind=KIND_PACKED, where=where)
        number = self._files
        self._files += 1
        fd = _create(os.path.join(self._folder, str(number)))
        try:
            left = entry.size
            while left:
                data = source.read(min(left, CHUNK))
                if not data:
                    raise ImageError("the archive is cut off")
                left -= len(data)
                _write(fd, data)
        finally:
            os.close(fd)
        return replace(entry, kind=KIND_FILE, where=number)

    def close(self) -> None:
        """Done."""
        os.close(self._pack)


def apply(source: Readable, folder: str, check: "Callable[[], None]" = lambda: None) -> tuple[str, int]:
    """Fill the empty ``folder`` from a tar archive, compressed or not; returns (digest of the plain archive, bytes of contents).

    ``check`` is called now and then and may raise, to stop. Raises ImageError, OSError.
    """
    plain = HashingReader(decompressed(source), LAYER_BYTES_MAX + (LAYER_BYTES_MAX >> 3), "a layer")
    contents = _Contents(folder)
    entries: list[Entry] = []
    try:
        for entry, data in Archive(plain, MEMBERS_MAX):
            check()
            is_mark = entry.path.rpartition(b"/")[2].startswith(WHITEOUT)
            entries.append(contents.put(entry, data) if data is not None and not is_mark else entry)
        plain.drain()
    except tarfile.TarError as error:
        raise ImageError(f"the archive is damaged: {error}") from None
    finally:
        contents.close()
    fd = _create(os.path.join(folder, ENTRIES_NAME))
    try:
        _write(fd, encode(entries, contents.total))
    finally:
        os.close(fd)
    os.chmod(folder, 0o755)  # noqa: S103 - the folder above is private; a gofer that is nobody must be able to enter
    return plain.digest, contents.total


def _create(path: str) -> int:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    os.fchmod(fd, 0o644)
    return fd


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _exactly(source: Readable, size: int) -> bytes:
    data = source.read(size) if size else b""
    while len(data) < size:
        part = source.read(size - len(data))
        if not part:
            raise ImageError("the archive is cut off")
        data += part
    return data


def _free(folder: str) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
