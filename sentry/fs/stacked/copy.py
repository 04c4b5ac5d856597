"""Copying an object from one layer to another, whatever file systems they are."""

from typing import TYPE_CHECKING, Final

from sentry.mm.usermem import BytesSink, BytesSource
from sentry.vfs.acl import ACCESS_NAME, DEFAULT_NAME
from sentry.vfs.context import OpenContext, Path
from sentry.vfs.dentry import Dentry
from sentry.vfs.stat import SetAttr
from syscalls.abi.errno import EIO, ENXIO, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_WRONLY
from syscalls.abi.stat import S_IFLNK, S_IFMT

if TYPE_CHECKING:
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import Inode
    from sentry.vfs.stat import Attr

_CHUNK: Final = 1 << 20


async def copy_contents(source: "Inode", target: "Inode", length: int) -> None:
    """The first ``length`` bytes; holes stay holes. Errors: EIO, ENOSPC."""
    if not length:
        return
    reader = await _open(source, 0)
    try:
        writer = await _open(target, O_WRONLY)
        try:
            offset = 0
            while offset < length:
                start = await _next_data(reader, offset, length)
                if start >= length:
                    break
                offset = await _copy_piece(reader, writer, start, min(_CHUNK, length - start))
        finally:
            writer.release()
    finally:
        reader.release()
    await target.setattr(SetAttr(size=length))


async def _open(inode: "Inode", flags: int) -> "FileDescription":
    # No file system looks at the mount or the task of an open like this.
    nowhere = Path(None, Dentry(b"", None, inode))  # type: ignore[arg-type]
    file = await inode.open(OpenContext(nowhere, flags, None))  # type: ignore[arg-type]
    return file.acquire()


async def _next_data(file: "FileDescription", offset: int, length: int) -> int:
    try:
        return await file.seek_data(offset, hole=False)
    except SyscallError as error:
        if error.errno == ENXIO:  # only a hole is left
            return length
        return offset


async def _copy_piece(reader: "FileDescription", writer: "FileDescription", offset: int, size: int) -> int:
    sink = BytesSink(size)
    count = await reader.read_remote(sink, offset) if reader.is_remote else reader.try_read(sink, offset)
    if not count:
        raise SyscallError(EIO)
    end = offset + count
    source = BytesSource(bytes(sink.data))
    while offset < end:
        written = await writer.write_remote(source, offset) if writer.is_remote else writer.try_write(source, offset)
        if not written:
            raise SyscallError(EIO)
        offset += written
    return end


async def copy_attributes(source: "Inode", target: "Inode", attr: "Attr", marks: bytes) -> None:
    """Extended attributes except an overlay's own (``marks``), lists, then mode and times. Errors: ENOSPC."""
    for name in await source.listxattr():
        if not name.startswith(marks):
            try:
                await target.setxattr(name, await source.getxattr(name), 0)
            except SyscallError as error:
                if error.errno != EOPNOTSUPP:
                    raise
    if target.supports_acls():
        for name, acl in ((ACCESS_NAME, attr.acl), (DEFAULT_NAME, attr.default_acl)):
            if acl is not None:
                await target.set_acl(name, acl)
    mode = None if attr.mode & S_IFMT == S_IFLNK else attr.mode & 0o7777
    await target.setattr(SetAttr(mode=mode, atime_ns=attr.atime_ns, mtime_ns=attr.mtime_ns))
