"""Reads a layer's tar archive member by member and refuses what no honest archive holds (image-spec, layer.md).

Nothing of an archive ever becomes a name on the host: paths end up in an index. They are checked all the same, so that what
another tool would refuse is not accepted here, and so that nothing grows without bound.
"""

import os
import tarfile
from collections.abc import Iterator, Mapping
from typing import Final

from sandboxctl.store.entry import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, Entry
from sandboxctl.store.errors import ImageError
from sandboxctl.store.stream import Readable

PATH_MAX: Final = 4096
NAME_MAX: Final = 255
XATTRS_MAX: Final = 64 << 10
HEADER_MAX: Final = 1 << 20  # of a pax or GNU long-name record
ID_MAX: Final = (1 << 32) - 2
FILE_MAX: Final = 1 << 40
_XATTR: Final = "SCHILY.xattr."
#: attributes that mean something to the sentry or to programs; POSIX ACLs (system.) would not be enforced, so they are left out
_NAMESPACES: Final = (b"user.", b"security.", b"trusted.")
_KINDS: Final = {
    tarfile.REGTYPE: S_IFREG, tarfile.AREGTYPE: S_IFREG, tarfile.CONTTYPE: S_IFREG, tarfile.GNUTYPE_SPARSE: S_IFREG,
    tarfile.SYMTYPE: S_IFLNK, tarfile.DIRTYPE: S_IFDIR, tarfile.FIFOTYPE: S_IFIFO, tarfile.CHRTYPE: S_IFCHR,
    tarfile.BLKTYPE: S_IFBLK,
}  # fmt: skip
_EXTENDED: Final = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip
_TIME_MAX: Final = (1 << 63) - 1


class Member(tarfile.TarInfo):
    """A header that is checked before it is believed: tarfile alone takes a damaged one for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "Member":
        """Read the next header. Raises ImageError for a damaged one."""
        start = tarfile_.offset
        try:
            return super().fromtarfile(tarfile_)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError, tarfile.SubsequentHeaderError) as error:  # type: ignore[attr-defined]
            raise ImageError(f"the archive is damaged at byte {start}: {error}") from None

    def _proc_member(self, tarfile_: tarfile.TarFile) -> "Member":
        if self.type in _EXTENDED and self.size > HEADER_MAX:
            raise ImageError(f"an extended header of {self.size} bytes in the archive: refused")
        if self.size < 0 or self.size > FILE_MAX:
            raise ImageError(f"{self.name!r} in the archive claims a size of {self.size} bytes: refused")
        return super()._proc_member(tarfile_)  # type: ignore[misc, no-any-return]


class Archive:
    """The members of a tar stream, in order."""

    def __init__(self, source: Readable, members_max: int) -> None:
        try:
            self._tar = tarfile.open(  # noqa: SIM115 - a stream: there is nothing to close
                None, "r|", source, 1 << 18, tarinfo=Member, encoding="utf-8", errors="surrogateescape"  # type: ignore[call-overload]
            )
        except tarfile.ReadError as error:
            raise ImageError(f"not a tar archive: {error}") from None
        self._members_max = members_max

    def __iter__(self) -> Iterator[tuple[Entry, Readable | None]]:
        """(entry without a place for its contents, its contents if it is a regular file). Raises ImageError."""
        count = 0
        while True:
            try:
                member = self._tar.next()
            except (tarfile.TarError, OSError, ValueError, OverflowError, EOFError) as error:
                raise ImageError(f"the archive is damaged: {error}") from None
            if member is None:
                return
            self._tar.members.clear()
            count += 1
            if count > self._members_max:
                raise ImageError(f"the archive has more than {self._members_max} members: refused")
            yield _entry(member), self._tar.extractfile(member) if member.isreg() else None


def clean(name: str, what: str = "member") -> bytes:
    """The path below the root, without slashes at its ends. A leading slash means the image's root. Raises ImageError."""
    raw = name.encode("utf-8", "surrogateescape")
    parts = [part for part in raw.split(b"/") if part not in {b"", b"."}]
    if b".." in parts or b"\0" in raw:
        raise ImageError(f"{what} {name!r} of the archive leads out of the image: refused")
    if len(raw) > PATH_MAX or any(len(part) > NAME_MAX for part in parts):
        raise ImageError(f"{what} {name[:60]!r}... of the archive is too long a path: refused")
    return b"/".join(parts)


def _entry(member: tarfile.TarInfo) -> Entry:
    path = clean(member.name)
    headers = member.pax_headers
    if member.islnk():
        return Entry(path, 0, link=clean(member.linkname, "hard link"))
    kind = _KINDS.get(member.type)
    if kind is None:
        raise ImageError(f"member {member.name!r} of the archive has the unknown type {member.type!r}: refused")
    if not (0 <= member.uid <= ID_MAX and 0 <= member.gid <= ID_MAX):
        raise ImageError(f"member {member.name!r} of the archive belongs to {member.uid}:{member.gid}: refused")
    rdev = 0
    if kind in {S_IFCHR, S_IFBLK}:
        if not (0 <= member.devmajor < 1 << 12 and 0 <= member.devminor < 1 << 20):
            raise ImageError(f"member {member.name!r} has the device number {member.devmajor}:{member.devminor}: refused")
        rdev = os.makedev(member.devmajor, member.devminor)
    link = b""
    if kind == S_IFLNK:
        link = member.linkname.encode("utf-8", "surrogateescape")
        if not link or len(link) >= PATH_MAX or b"\0" in link:
            raise ImageError(f"member {member.name!r} of the archive is a link to a bad path: refused")
    return Entry(
        path,
        kind | member.mode & 0o7777,
        member.uid,
        member.gid,
        len(link) if link else member.size if kind == S_IFREG else 0,
        _time(headers.get("mtime"), member.mtime),
        rdev,
        link,
        xattrs=_xattrs(headers, member.name),
    )


def _time(exact: str | None, rounded: float) -> int:
    """Nanoseconds: a pax record is a decimal number, which a float would round."""
    try:
        if exact is not None:
            sign = -1 if exact.startswith("-") else 1
            whole, _, fraction = exact.lstrip("+-").partition(".")
            time = sign * (int(whole or "0") * 1_000_000_000 + int(fraction[:9].ljust(9, "0")))
        else:
            time = int(rounded) * 1_000_000_000
    except (ValueError, OverflowError):
        return 0
    return max(-_TIME_MAX, min(_TIME_MAX, time))


def _xattrs(headers: Mapping[str, str], name: str) -> tuple[tuple[bytes, bytes], ...]:
    found = []
    for key, value in headers.items():
        if key.startswith(_XATTR):
            raw = key[len(_XATTR) :].encode("utf-8", "surrogateescape")
            if raw.startswith(_NAMESPACES) and b"\0" not in raw and len(raw) <= NAME_MAX:
                found.append((raw, value.encode("utf-8", "surrogateescape")))
    if found and sum(len(key) + len(value) for key, value in found) > XATTRS_MAX:
        raise ImageError(f"member {name!r} of the archive has too large extended attributes: refused")
    return tuple(sorted(found))
