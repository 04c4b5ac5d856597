"""Byte streams of layers: hashing, decompression, and a limit on what may come out."""

import contextlib
import hashlib
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final, Protocol

from sandboxctl.store.errors import ImageError

CHUNK: Final = 1 << 18
BLOB_MAX: Final = 64 << 30
_GZIP, _ZSTD, _XZ, _BZIP2 = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"BZh"
_ZSTD_WINDOW_MAX: Final = 1 << 27
#: wbits for zlib: a gzip header, the largest window
_GZIP_BITS: Final = 31
_GZIP_LEVEL: Final = 6


class Readable(Protocol):
    """All that is needed of a file."""

    def read(self, size: int = -1, /) -> bytes:
        """Some bytes, b"" at the end."""


class HashingReader:
    """Passes bytes on and keeps their SHA-256 and count. ``limit``: the most that may come. Raises ImageError beyond it."""

    def __init__(self, source: Readable, limit: int, what: str) -> None:
        self._source = source
        self._limit = limit
        self._what = what
        self._sum = hashlib.sha256()
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        """Read at most ``size`` bytes."""
        data = self._source.read(size if size >= 0 else CHUNK)
        self.count += len(data)
        if self.count > self._limit:
            raise ImageError(f"{self._what} is larger than {self._limit >> 20} MiB: refused")
        self._sum.update(data)
        return data

    def drain(self) -> None:
        """Read to the end."""
        while self.read(CHUNK):
            pass

    @property
    def digest(self) -> str:
        """``sha256:...`` of what has been read."""
        return f"sha256:{self._sum.hexdigest()}"


@contextlib.contextmanager
def gzipped(source: Readable, folder: str) -> Iterator[IO[bytes]]:
    """``source`` gzipped, in an unnamed file below ``folder``; without name and time, so that equal things stay equal."""
    import gzip
    import tempfile

    with tempfile.TemporaryFile(dir=folder) as packed:
        with gzip.GzipFile("", "wb", _GZIP_LEVEL, packed, mtime=0) as out:
            while data := source.read(CHUNK):
                out.write(data)
        packed.seek(0)
        yield packed


class _Gzip:
    """A gzip stream of one or more members (RFC 1952), in bounded steps."""

    is_compressed = True

    def __init__(self, source: Readable, head: bytes) -> None:
        self._source = source
        self._pending = head
        self._inflater = zlib.decompressobj(_GZIP_BITS)
        self._is_between = False  # members

    def read(self, size: int = -1) -> bytes:
        """Read at least one byte, b"" at the end. Raises ImageError for a damaged or cut stream."""
        wanted = size if size > 0 else CHUNK
        while True:
            data, self._pending = self._pending or self._source.read(CHUNK), b""
            if not data:
                if self._is_between:
                    return b""
                raise ImageError("a gzip layer is cut off")
            if self._is_between:
                data = data.lstrip(b"\0")
                if not data:
                    continue
                self._inflater, self._is_between = zlib.decompressobj(_GZIP_BITS), False
            try:
                out = self._inflater.decompress(data, wanted)
            except zlib.error as error:
                raise ImageError(f"a gzip layer is damaged: {error}") from None
            self._pending = self._inflater.unconsumed_tail
            if self._inflater.eof:
                self._is_between, self._pending = True, self._inflater.unused_data
            if out:
                return out


class _Headed:
    """A source whose first bytes were read already."""

    is_compressed = False

    def __init__(self, head: bytes, source: Readable) -> None:
        self._head = head
        self._source = source

    def read(self, size: int = -1) -> bytes:
        """The head first."""
        if self._head:
            cut = len(self._head) if size < 0 else size
            data, self._head = self._head[:cut], self._head[cut:]
            return data
        return self._source.read(size)


class Decompressed(Protocol):
    """What ``decompressed`` returns."""

    is_compressed: bool

    def read(self, size: int = -1, /) -> bytes:
        """Some bytes, b"" at the end."""


def decompressed(source: Readable) -> Decompressed:
    """What ``source`` holds without its compression (gzip, zstd, xz, bzip2 or none), told by its first bytes."""
    head = b""
    while len(head) < 6:
        part = source.read(6 - len(head))
        if not part:
            break
        head += part
    if head.startswith(_GZIP):
        return _Gzip(source, head)
    if head.startswith(_ZSTD):
        return _Zstd(_Headed(head, source))
    if head.startswith((_XZ, _BZIP2)):
        return _Other(_Headed(head, source), is_xz=head.startswith(_XZ))
    return _Headed(head, source)


class _Zstd:
    """A zstd stream of one or more frames (RFC 8878)."""

    is_compressed = True

    def __init__(self, source: Readable) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_MAX)
        self._reader = decompressor.stream_reader(source, read_across_frames=True)  # type: ignore[arg-type]

    def read(self, size: int = -1) -> bytes:
        """Read some bytes. Raises ImageError for a damaged stream."""
        try:
            return self._reader.read(size if size > 0 else CHUNK)
        except self._error as error:
            raise ImageError(f"a zstd layer is damaged: {error}") from None


class _Other:
    """xz or bzip2, which only plain archives of root file systems have."""

    is_compressed = True

    def __init__(self, source: Readable, *, is_xz: bool) -> None:
        import bz2
        import lzma

        self._errors = (lzma.LZMAError, EOFError, OSError)
        opener: Any = lzma.open if is_xz else bz2.open
        self._file: IO[bytes] = opener(source)

    def read(self, size: int = -1) -> bytes:
        """Read some bytes. Raises ImageError for a damaged stream."""
        try:
            return self._file.read(size if size > 0 else CHUNK)
        except self._errors as error:
            raise ImageError(f"the archive is damaged: {error}") from None
