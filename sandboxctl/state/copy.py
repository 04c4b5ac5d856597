"""``cp`` out of and into a sandbox, with docker's rules for names."""

import errno
import os
import stat
import tarfile
import tempfile
from contextlib import suppress
from typing import IO

from sandboxctl.errors import OptionError, SandboxError
from sandboxctl.state.idle import IdleLink
from sandboxctl.state.link import Link

_DEPTH_MAX = 200


class RemoteTree:
    """The files of a sandbox. ``left_out`` counts objects that could not be copied (sockets, devices)."""

    def __init__(self, link: Link | IdleLink, name: str) -> None:
        self._link = link
        self._name = name
        self.left_out = 0

    def to_host(self, path: str, target: str) -> None:
        """Copy ``path`` to ``target``, a folder or a new name of the host, or ``-``: an archive. Raises SandboxError, OSError."""
        is_folder = stat.S_ISDIR(self._mode(path))
        contents = is_folder and (path.endswith("/.") or os.path.normpath(path) == "/")
        into, name = target, os.path.basename(os.path.normpath(path)) or "."
        if target != "-" and (contents or not os.path.isdir(target)):
            into, name = os.path.split(os.path.normpath(target))
        with tempfile.TemporaryFile() as archive:
            self.left_out = self._copy("copy_out", path, archive, "." if contents and target == "-" else name)
            archive.seek(0)
            if target == "-":
                _pour(archive)
            else:
                self.left_out += unpack(archive, into or ".")

    def from_host(self, source: str, path: str, *, keeps_owners: bool = True) -> None:
        """Copy the host's ``source`` (``-``: an archive on standard input) to ``path``. Raises SandboxError, OSError."""
        mode = self._mode(path, may_be_missing=True)
        if source == "-":
            if not stat.S_ISDIR(mode):
                raise SandboxError(f"{self._name}:{path} is not a folder")
            with tempfile.TemporaryFile() as archive:
                _fill(archive)
                self._copy("copy_in", path, archive)
            return
        if not os.path.lexists(source):
            raise OptionError(f"{source}: no such file or directory")
        base = os.path.basename(os.path.normpath(os.path.abspath(source)))
        contents = source.endswith("/.") and os.path.isdir(source)
        folder, name = path, "." if contents else base
        if not stat.S_ISDIR(mode):
            folder, name = os.path.split(os.path.normpath(path))
            if mode and os.path.isdir(source):
                raise SandboxError(f"cannot copy a folder onto the file {self._name}:{path}")
            if path.endswith("/") and not os.path.isdir(source):
                raise SandboxError(f"{self._name}:{path} is not a folder")
        with tempfile.TemporaryFile() as archive:
            with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
                tar.add(os.path.realpath(source) if contents else source, name or ".", filter=None if keeps_owners else _of_root)
            self._copy("copy_in", folder or "/", archive)

    def _mode(self, path: str, *, may_be_missing: bool = False) -> int:
        told = self._link.ask("stat", path=os.fsencode(path), name=b"")
        if told["errno"] == errno.ENOENT and may_be_missing:
            return 0
        return int(self._checked(told, path))

    def _copy(self, kind: str, path: str, archive: IO[bytes], name: str = "") -> int:
        archive.flush()
        return self._checked(self._link.ask(kind, [archive.fileno()], path=os.fsencode(path), name=os.fsencode(name)), path)

    def _checked(self, told: dict[str, int], path: str) -> int:
        if told["errno"]:
            raise SandboxError(f"{self._name}:{path}: {os.strerror(told['errno']).lower()}")
        return told["value"]


def _of_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    return info


def unpack(archive: IO[bytes], folder: str) -> int:
    """Write an archive of a guest's files below ``folder``, never through a symbolic link; returns what was left out."""
    left_out = 0
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with tarfile.open(fileobj=archive, mode="r:") as tar:
            for info in tar:
                parts = [part for part in info.name.split("/") if part not in {"", "."}]
                if ".." in parts or len(parts) > _DEPTH_MAX or not parts:
                    raise SandboxError(f"the sandbox sent an impossible name: {info.name!r}")
                left_out += not _place(tar, info, top, parts)
    finally:
        os.close(top)
    return left_out


def _place(tar: tarfile.TarFile, info: tarfile.TarInfo, top: int, parts: list[str]) -> bool:
    parent = os.dup(top)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
            os.close(parent)
            parent = below
        return _make(tar, info, parent, parts[-1])
    finally:
        os.close(parent)


def _make(tar: tarfile.TarFile, info: tarfile.TarInfo, parent: int, name: str) -> bool:
    if info.isdir():
        with suppress(FileExistsError):  # whether it is a folder shows when something goes into it
            os.mkdir(name, info.mode & 0o777 | 0o700, dir_fd=parent)
        return True
    if not (info.isreg() or info.issym()):
        return False
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=parent)
    if info.issym():
        os.symlink(info.linkname, name, dir_fd=parent)
        return True
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, info.mode & 0o777, dir_fd=parent)
    with os.fdopen(fd, "wb") as file:
        contents = tar.extractfile(info)
        while contents is not None and (data := contents.read(1 << 20)):
            file.write(data)
        os.fchmod(fd, info.mode & 0o777)
        os.utime(fd, (info.mtime, info.mtime))
    return True


def _pour(archive: IO[bytes]) -> None:
    import shutil
    import sys

    shutil.copyfileobj(archive, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _fill(archive: IO[bytes]) -> None:
    import shutil
    import sys

    shutil.copyfileobj(sys.stdin.buffer, archive)
