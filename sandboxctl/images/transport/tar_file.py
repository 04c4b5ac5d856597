"""An archive of an image that is read at any place: members by name, links between them followed."""

import os
import tarfile
import tempfile
from types import TracebackType
from typing import IO, Final, Self

from sandboxctl.store.archive import Member
from sandboxctl.store.errors import ImageError
from sandboxctl.store.stream import BLOB_MAX, CHUNK, HashingReader, Readable, decompressed

_MEMBERS_MAX: Final = 100_000
_LINKS_MAX: Final = 8


class TarFile:
    """A tar file, compressed or not: a compressed one is unpacked into an unnamed file below ``tmp`` first."""

    def __init__(self, tmp: str, path: str) -> None:
        try:
            self._file: IO[bytes] = open(path, "rb")  # noqa: SIM115 - closed by ``__exit__``
        except OSError as error:
            raise ImageError(f"cannot read {path!r}: {error.strerror}") from None
        self._members: dict[str, tarfile.TarInfo] = {}
        try:
            self._open(tmp, path)
        except BaseException:
            self._file.close()
            raise

    def _open(self, tmp: str, path: str) -> None:
        plain = decompressed(self._file)
        if plain.is_compressed:
            self._file = _spool(plain, self._file, tmp)
        self._file.seek(0)
        try:
            self._tar = tarfile.TarFile(fileobj=self._file, tarinfo=Member, encoding="utf-8", errors="surrogateescape")
            for member in self._tar:
                if len(self._members) >= _MEMBERS_MAX:
                    raise ImageError(f"{path!r} has more than {_MEMBERS_MAX} members: refused")
                self._members[os.path.normpath(member.name)] = member
        except (tarfile.TarError, OSError, ValueError) as error:
            raise ImageError(f"{path!r} is not a tar archive: {error}") from None

    def names(self) -> list[str]:
        """All members."""
        return list(self._members)

    def open(self, name: str) -> Readable:
        """A regular member. Raises ImageError."""
        at = os.path.normpath(name)
        for _ in range(_LINKS_MAX):
            member = self._members.get(at)
            if member is None:
                raise ImageError(f"the archive has no {name[:200]!r}: it is cut off, or of another kind")
            if member.isreg():
                return self._tar.extractfile(member)  # type: ignore[return-value]
            if member.issym():
                at = os.path.normpath(os.path.join(os.path.dirname(at), member.linkname))
            elif member.islnk():
                at = os.path.normpath(member.linkname)
            else:
                break
        raise ImageError(f"{name[:200]!r} of the archive is not a file")

    def read(self, name: str, limit: int) -> bytes:
        """A small member. Raises ImageError."""
        data = self.open(name).read(limit + 1)
        if len(data) > limit:
            raise ImageError(f"{name[:200]!r} of the archive is larger than {limit} bytes: refused")
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


def _spool(plain: Readable, source: IO[bytes], tmp: str) -> IO[bytes]:
    reader = HashingReader(plain, BLOB_MAX, "the archive")
    spool = tempfile.TemporaryFile(dir=tmp)  # noqa: SIM115 - the caller closes it
    try:
        while data := reader.read(CHUNK):
            spool.write(data)
    except BaseException:
        spool.close()
        raise
    source.close()
    return spool
