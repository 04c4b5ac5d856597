"""Copies files of an image of the store to the host, without a sandbox: what an image contains is never followed or run.

Files are written below a descriptor of the target folder, never through a symbolic link, and belong to the caller.
"""

import os
import tarfile
from contextlib import suppress
from typing import IO, Final

from sandboxctl.images.content import ImageContent
from sandboxctl.store.errors import ImageError
from sentry.fs.image.index import ROOT, Record

_S_IFMT, _S_IFDIR, _S_IFREG, _S_IFLNK = 0o170000, 0o040000, 0o100000, 0o120000
_TYPES: Final = {
    0o100000: tarfile.REGTYPE, 0o040000: tarfile.DIRTYPE, 0o120000: tarfile.SYMTYPE, 0o010000: tarfile.FIFOTYPE,
    0o020000: tarfile.CHRTYPE, 0o060000: tarfile.BLKTYPE,
}  # fmt: skip
_DEPTH_MAX: Final = 200
_HOPS_MAX: Final = 40
_CHUNK: Final = 1 << 20


class CopyOut:
    """Copies from one image. ``left_out`` counts FIFOs and devices, which are copied into archives only."""

    def __init__(self, content: ImageContent) -> None:
        self._content = content
        self.left_out = 0

    def find(self, path: str) -> int:
        """The inode number of ``path``, symbolic links followed inside the image. Raises ImageError."""
        index = self._content.index
        stack = [ROOT]
        left = [name for name in reversed(path.encode("utf-8", "surrogateescape").split(b"/")) if name not in {b"", b"."}]
        hops = 0
        while left:
            name = left.pop()
            if name == b"..":
                if len(stack) > 1:
                    stack.pop()
                continue
            record = index.record(stack[-1])
            ino = index.find(record.where, record.length, name) if record.mode & _S_IFMT == _S_IFDIR else 0
            if not ino:
                raise ImageError(f"the image has no {path!r}")
            found = index.record(ino)
            if found.mode & _S_IFMT == _S_IFLNK:
                hops += 1
                if hops > _HOPS_MAX:
                    raise ImageError(f"{path!r} of the image goes through too many symbolic links")
                text = index.text(found)
                if text.startswith(b"/"):
                    del stack[1:]
                left.extend(part for part in reversed(text.split(b"/")) if part not in {b"", b"."})
                continue
            stack.append(ino)
        return stack[-1]

    def to_archive(self, ino: int, name: str, out: IO[bytes]) -> None:
        """Write an object and all below it as a tar archive, owners and all. Raises OSError."""
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape") as tar:
            self._add(tar, ino, name, 0)

    def _add(self, tar: tarfile.TarFile, ino: int, name: str, depth: int) -> None:
        _check_depth(depth)
        index = self._content.index
        record = index.record(ino)
        kind = record.mode & _S_IFMT
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.uid, info.gid = _TYPES[kind], record.mode & 0o7777, record.uid, record.gid
        info.mtime = record.mtime_ns // 1_000_000_000
        info.devmajor, info.devminor = os.major(record.rdev), os.minor(record.rdev)
        if kind == _S_IFLNK:
            info.linkname = os.fsdecode(index.text(record))
        if kind == _S_IFREG:
            info.size = record.size
            tar.addfile(info, _Reader(self._content, record))  # type: ignore[arg-type]
            return
        tar.addfile(info)
        if kind == _S_IFDIR:
            for child, number, _ in index.entries(record.where, record.length):
                self._add(tar, number, f"{name}/{os.fsdecode(child)}", depth + 1)

    def to_folder(self, ino: int, folder: int, name: bytes) -> None:
        """Write an object and all below it as ``name`` into the host folder ``folder``. Raises ImageError, OSError."""
        self._put(ino, folder, name, 0)

    def children_to_folder(self, ino: int, folder: int) -> None:
        """Write what a directory holds into the host folder ``folder``. Raises ImageError, OSError."""
        record = self._content.index.record(ino)
        for name, number, _ in self._content.index.entries(record.where, record.length):
            self._put(number, folder, name, 1)

    def _put(self, ino: int, folder: int, name: bytes, depth: int) -> None:
        _check_depth(depth)
        index = self._content.index
        record = index.record(ino)
        kind = record.mode & _S_IFMT
        time = record.mtime_ns
        if kind == _S_IFDIR:
            with suppress(FileExistsError):  # opening it tells whether it is a folder
                os.mkdir(name, 0o700, dir_fd=folder)
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            try:
                for child, number, _ in index.entries(record.where, record.length):
                    self._put(number, below, child, depth + 1)
                os.fchmod(below, record.mode & 0o777)
                os.utime(below, ns=(time, time))
            finally:
                os.close(below)
        elif kind == _S_IFREG:
            fd = _fresh(name, folder)
            try:
                for offset in range(0, record.size, _CHUNK):
                    view = memoryview(self._content.read(record, min(_CHUNK, record.size - offset), offset))
                    while view:
                        view = view[os.write(fd, view) :]
                os.fchmod(fd, record.mode & 0o777)
                os.utime(fd, ns=(time, time))
            finally:
                os.close(fd)
        elif kind == _S_IFLNK:
            _remove(name, folder)
            os.symlink(index.text(record), name, dir_fd=folder)
        else:
            self.left_out += 1


class _Reader:
    """The contents of a regular file as tarfile wants them."""

    def __init__(self, content: ImageContent, record: Record) -> None:
        self._content = content
        self._record = record
        self._offset = 0

    def read(self, size: int) -> bytes:
        """Some bytes."""
        data = self._content.read(self._record, min(size, self._record.size - self._offset), self._offset)
        self._offset += len(data)
        return data


def _check_depth(depth: int) -> None:
    if depth > _DEPTH_MAX:
        raise ImageError(f"folders of the image are nested deeper than {_DEPTH_MAX}: refused")


def _fresh(name: bytes, folder: int) -> int:
    """A new file; what was there is replaced, never written through."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, 0o600, dir_fd=folder)
    except FileExistsError:
        os.unlink(name, dir_fd=folder)
        return os.open(name, flags, 0o600, dir_fd=folder)


def _remove(name: bytes, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
