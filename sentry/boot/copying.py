"""``cp``: objects of a sandbox's tree, with all below them, to and from tar archives in host files.

The sentry does it in its own name, on mounts and all, as the programs see the tree; their links are followed inside it only.
"""

from collections.abc import Awaitable
from tarfile import BLKTYPE, CHRTYPE, DIRTYPE, FIFOTYPE, LNKTYPE, PAX_FORMAT, REGTYPE, SYMTYPE, TarFile, TarInfo
from typing import TYPE_CHECKING, Final

from sentry.host import regular_file
from sentry.host.regular_file import HostFd
from sentry.mm.usermem import BytesSink, BytesSource
from sentry.vfs import namespace
from sentry.vfs.context import Path
from syscalls.abi.errno import EACCES, EEXIST, EINVAL, EIO, ELOOP, ENOENT
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_CREAT, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY
from syscalls.abi.stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.file import FileDescription

_TYPES: Final = {
    S_IFREG: REGTYPE, S_IFDIR: DIRTYPE, S_IFLNK: SYMTYPE, S_IFIFO: FIFOTYPE, S_IFCHR: CHRTYPE, S_IFBLK: BLKTYPE,
}  # fmt: skip
_CHUNK: Final = 1 << 20
_BLOCK: Final = 512
_DEPTH_MAX: Final = 200
_SECOND: Final = 1_000_000_000


class CopyOut:
    """One archive in the host file ``fd``. ``left_out`` counts sockets, and files that are no plain contents; with ``is_lenient``
    also what the gofer may not read (``host`` as nobody), which is an error else."""

    def __init__(self, task: "Task", fd: HostFd, *, is_lenient: bool = False) -> None:
        self._is_lenient = is_lenient
        self._task = task
        self._fd = fd
        self._offset = 0
        self.left_out = 0

    async def run(self, path: bytes, name: bytes) -> None:
        """Write ``path``, links followed, as ``name``. Errors: ENOENT, ENOTDIR, ELOOP, EIO, ENOSPC."""
        await self._object(await namespace.resolve(self._task, AT_FDCWD, path), name, 0)
        self._write(bytes(2 * _BLOCK))

    async def _object(self, place: Path, name: bytes, depth: int) -> None:
        if depth > _DEPTH_MAX:
            raise SyscallError(ELOOP)
        attr = await place.inode.getattr()
        kind = attr.mode & S_IFMT
        if kind not in _TYPES:
            self.left_out += 1
            return
        info = TarInfo(_text(name))
        info.type, info.mode, info.uid, info.gid = _TYPES[kind], attr.mode & 0o7777, attr.uid, attr.gid
        info.mtime, fraction = divmod(attr.mtime_ns, _SECOND)
        if fraction and info.mtime >= 0:
            info.pax_headers = {"mtime": f"{info.mtime}.{fraction:09}"}
        if kind in (S_IFCHR, S_IFBLK):
            info.devmajor, info.devminor = attr.rdev >> 8 & 0xFFF, attr.rdev & 0xFF | attr.rdev >> 12 & 0xFFF00
        if kind == S_IFLNK:
            info.linkname = _text(await place.inode.readlink())
        if kind == S_IFREG:
            info.size = attr.size
            try:
                file = await namespace.open_place(self._task, place, O_RDONLY)
            except SyscallError as error:
                self._leave_out(error)
                return
            self._write(info.tobuf(PAX_FORMAT, "utf-8", "surrogateescape"))
            await self._contents(file, attr.size)
            return
        self._write(info.tobuf(PAX_FORMAT, "utf-8", "surrogateescape"))
        if kind == S_IFDIR:
            try:
                entries = await place.inode.read_children()
            except SyscallError as error:
                self._leave_out(error)
                return
            for entry in entries:
                below = await self._child(place, entry.name)
                if below is not None:
                    await self._object(below, name + b"/" + entry.name, depth + 1)

    def _leave_out(self, error: SyscallError) -> None:
        if not self._is_lenient or error.errno != EACCES:
            raise error
        self.left_out += 1

    async def _child(self, place: Path, name: bytes) -> Path | None:
        """What the name stands for, with what is mounted there; None if it has just gone."""
        try:
            dentry = await namespace.lookup_child(self._task, place, name)
        except SyscallError as error:
            if error.errno == ENOENT:
                return None
            raise
        if dentry.inode is None:
            return None
        return self._task.mounts.top(Path(place.mount, dentry))

    async def _contents(self, file: "FileDescription", size: int) -> None:
        """Exactly ``size`` bytes and the padding; a file that shrinks meanwhile is filled with zeros, as tar(1) does."""
        file.acquire()
        try:
            done = 0
            while done < size:
                sink = BytesSink(min(_CHUNK, size - done))
                count = await file.read_remote(sink, done) if file.is_remote else file.try_read(sink, done)
                data = sink.data if count else bytes(min(_CHUNK, size - done))
                self._write(data)
                done += len(data)
        finally:
            file.release()
        self._write(bytes(-size % _BLOCK))

    def _write(self, data: bytes | bytearray) -> None:
        regular_file.pwrite_all(self._fd, data, self._offset)
        self._offset += len(data)


async def mode_of(task: "Task", path: bytes) -> int:
    """st_mode of what ``path`` leads to. Errors: those of stat(2)."""
    place = await namespace.resolve(task, AT_FDCWD, path)
    return (await place.inode.getattr()).mode


async def copy_in(task: "Task", fd: HostFd, folder: bytes) -> None:
    """Make what the archive in ``fd`` holds below ``folder``. Errors: those of open(2), mkdir(2), EINVAL for no archive."""
    try:
        with TarFile(fileobj=HostFile(fd), mode="r", errorlevel=2) as archive:  # type: ignore[arg-type]
            for info in archive:
                await _make(task, archive, info, folder)
    except (EOFError, ValueError, OSError) as error:
        raise SyscallError(EINVAL) from error


async def _make(task: "Task", archive: TarFile, info: TarInfo, folder: bytes) -> None:
    parts = [part for part in info.name.encode("utf-8", "surrogateescape").split(b"/") if part not in {b"", b"."}]
    if b".." in parts:
        raise SyscallError(EINVAL)
    path = folder + b"/" + b"/".join(parts)
    if info.isdir():
        await _or_there(namespace.mkdir_at(task, AT_FDCWD, path, info.mode & 0o7777))
        if not parts:
            return
    elif info.isreg():
        await write_file(task, archive, info, path)
    elif info.issym():
        await _or_there(namespace.unlink_at(task, AT_FDCWD, path, is_rmdir=False), ENOENT)
        await namespace.symlink_at(task, info.linkname.encode("utf-8", "surrogateescape"), AT_FDCWD, path)
    elif info.type == LNKTYPE:
        first = folder + b"/" + info.linkname.encode("utf-8", "surrogateescape")
        await _or_there(namespace.unlink_at(task, AT_FDCWD, path, is_rmdir=False), ENOENT)
        await namespace.link_at(task, AT_FDCWD, first, AT_FDCWD, path, 0)
        return
    elif info.isfifo():
        await _or_there(namespace.mknod_at(task, AT_FDCWD, path, S_IFIFO | info.mode & 0o7777, 0))
    else:
        return  # devices of the host mean nothing here
    await namespace.chown_at(task, AT_FDCWD, path, info.uid, info.gid, AT_SYMLINK_NOFOLLOW)
    if not info.issym():
        await namespace.chmod_at(task, AT_FDCWD, path, info.mode & 0o7777)
        time = int(info.mtime) * _SECOND
        await namespace.utimens_at(task, AT_FDCWD, path, (time, time), 0)


async def write_file(task: "Task", archive: TarFile, info: TarInfo, path: bytes) -> None:
    """The contents of a regular file, which is made if it is missing. Errors: those of open(2), EIO, ENOSPC."""
    flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW
    file: FileDescription = await namespace.open_at(task, AT_FDCWD, path, flags, info.mode & 0o777)
    file.acquire()
    try:
        contents = archive.extractfile(info)
        offset = 0
        while contents is not None and (data := contents.read(_CHUNK)):
            source = BytesSource(data)
            while source.remaining:
                count = await file.write_remote(source, offset) if file.is_remote else file.try_write(source, offset)
                if not count:
                    raise SyscallError(EIO)
                offset += count
    finally:
        file.release()


async def _or_there(making: Awaitable[object], excused: int = EEXIST) -> None:
    try:
        await making
    except SyscallError as error:
        if error.errno != excused:
            raise


class HostFile:
    """A host file as ``tarfile`` wants one."""

    def __init__(self, fd: HostFd) -> None:
        self._fd = fd
        self._offset = 0

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes."""
        data = regular_file.pread(self._fd, size, self._offset)
        self._offset += len(data)
        return data

    def seek(self, offset: int) -> int:
        """Go to ``offset``."""
        self._offset = offset
        return offset

    def tell(self) -> int:
        """Where the next read begins."""
        return self._offset


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
