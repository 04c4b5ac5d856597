"""Puts back what a sandbox had changed: applies a layer, as ``sentry/fs/overlay/export.py`` writes one, to the root's overlay.

What is changed in place keeps its identity below. Nothing of it crosses a mount: the tree is reached by a mount of its own.
"""

from tarfile import LNKTYPE, TarError, TarFile, TarInfo
from typing import TYPE_CHECKING, Final

from sentry.boot.copying import HostFile, write_file
from sentry.fs.overlay.export import OPAQUE, WHITEOUT
from sentry.host.regular_file import HostFd
from sentry.vfs import namespace
from sentry.vfs.context import Path
from syscalls.abi.errno import EINVAL, ENOENT, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.abi.stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from sentry.kernel.task import Task

_XATTR: Final = "SCHILY.xattr."
_SECOND: Final = 1_000_000_000


class Restore:
    """One layer. ``task`` may do anything; its root is the tree.

    ``needs_owners`` False: where the host refuses to change an owner, files belong to whom they are made by.
    """

    def __init__(self, task: "Task", *, needs_owners: bool = True) -> None:
        self._task = task
        self._needs_owners = needs_owners
        self._times: list[tuple[bytes, int]] = []

    async def run(self, fd: HostFd) -> None:
        """Apply the archive in ``fd``. Errors: EINVAL for no archive, those of the calls that make files."""
        try:
            with TarFile(fileobj=HostFile(fd), mode="r", errorlevel=2) as archive:  # type: ignore[arg-type]
                for info in archive:
                    await self._member(archive, info)
        except (EOFError, ValueError, OSError, TarError) as error:
            raise SyscallError(EINVAL) from error
        for path, time_ns in reversed(self._times):  # what was made in them has touched them
            await namespace.utimens_at(self._task, AT_FDCWD, path, (time_ns, time_ns), 0)

    async def _member(self, archive: TarFile, info: TarInfo) -> None:
        parts = [part for part in _bytes(info.name).split(b"/") if part not in {b"", b"."}]
        if b".." in parts:
            raise SyscallError(EINVAL)
        path = b"/" + b"/".join(parts)
        name = parts[-1] if parts else b""
        if name == OPAQUE:
            await self._empty(path[: -len(OPAQUE)])
        elif name.startswith(WHITEOUT):
            await self._remove(path[: -len(name)] + name[len(WHITEOUT) :])
        else:
            await self._make(archive, info, path)

    async def _make(self, archive: TarFile, info: TarInfo, path: bytes) -> None:
        task = self._task
        there = await self._kind(path)
        if info.type == LNKTYPE:
            await self._link(b"/" + _bytes(info.linkname), path)
            return
        kind = _kind_of(info)
        if (there and there != kind) or kind == S_IFLNK:
            await self._remove(path)
            there = 0
        if kind == S_IFDIR:
            if not there:
                await namespace.mkdir_at(task, AT_FDCWD, path, 0o700)
        elif kind == S_IFREG:
            await write_file(task, archive, info, path)
        elif kind == S_IFLNK:
            await namespace.symlink_at(task, _bytes(info.linkname), AT_FDCWD, path)
        elif not there:
            rdev = (info.devminor & 0xFF) | info.devmajor << 8 | (info.devminor & ~0xFF) << 12
            await namespace.mknod_at(task, AT_FDCWD, path, kind | 0o600, rdev if kind in (S_IFCHR, S_IFBLK) else 0)
        await self._attributes(info, path, kind)

    async def _attributes(self, info: TarInfo, path: bytes, kind: int) -> None:
        task = self._task
        try:
            await namespace.chown_at(task, AT_FDCWD, path, info.uid, info.gid, AT_SYMLINK_NOFOLLOW)
        except SyscallError as error:
            if self._needs_owners or error.errno != EPERM:
                raise
        time_ns = _time_ns(info)
        if kind == S_IFLNK:
            await namespace.utimens_at(task, AT_FDCWD, path, (time_ns, time_ns), AT_SYMLINK_NOFOLLOW)
            return
        await namespace.chmod_at(task, AT_FDCWD, path, info.mode & 0o7777)
        place = await namespace.resolve(task, AT_FDCWD, path)
        wanted = {_bytes(key[len(_XATTR) :]): _bytes(text) for key, text in info.pax_headers.items() if key.startswith(_XATTR)}
        for name in await place.inode.listxattr():
            if name not in wanted:
                await place.inode.removexattr(name)
        for name, value in wanted.items():
            await place.inode.setxattr(name, value, 0)
        if kind == S_IFDIR:
            self._times.append((path, time_ns))
        else:
            await namespace.utimens_at(task, AT_FDCWD, path, (time_ns, time_ns), 0)

    async def _link(self, first: bytes, path: bytes) -> None:
        """One more name of ``first``; nothing to do where the tree below has it so already."""
        there = await self._find(path)
        if there is not None:
            if there.inode is (await namespace.resolve(self._task, AT_FDCWD, first, follow=False)).inode:
                return
            await self._remove(path)
        await namespace.link_at(self._task, AT_FDCWD, first, AT_FDCWD, path, 0)

    async def _find(self, path: bytes) -> Path | None:
        try:
            return await namespace.resolve(self._task, AT_FDCWD, path, follow=False)
        except SyscallError as error:
            if error.errno == ENOENT:
                return None
            raise

    async def _kind(self, path: bytes) -> int:
        place = await self._find(path)
        return 0 if place is None else (await place.inode.getattr()).mode & S_IFMT

    async def _remove(self, path: bytes) -> None:
        kind = await self._kind(path)
        if kind == S_IFDIR:
            await self._empty(path)
        if kind:
            await namespace.unlink_at(self._task, AT_FDCWD, path, is_rmdir=kind == S_IFDIR)

    async def _empty(self, folder: bytes) -> None:
        place = await namespace.resolve(self._task, AT_FDCWD, folder, follow=False)
        for entry in await place.inode.read_children():
            await self._remove(folder.rstrip(b"/") + b"/" + entry.name)


def _kind_of(info: TarInfo) -> int:
    """Errors: EINVAL for what no layer holds."""
    for is_it, kind in (
        (info.isdir(), S_IFDIR),
        (info.isreg(), S_IFREG),
        (info.issym(), S_IFLNK),
        (info.isfifo(), S_IFIFO),
        (info.ischr(), S_IFCHR),
        (info.isblk(), S_IFBLK),
    ):
        if is_it:
            return kind
    raise SyscallError(EINVAL)


def _time_ns(info: TarInfo) -> int:
    """To the nanosecond: a float has not room for it."""
    seconds, _, fraction = info.pax_headers.get("mtime", "").partition(".")
    return int(seconds) * _SECOND + int(fraction.ljust(9, "0")[:9] or 0) if seconds.isdigit() else int(info.mtime) * _SECOND


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
