"""Opening what is not a regular file: directories, device nodes, FIFOs, sockets; and O_PATH."""

from typing import TYPE_CHECKING

from sentry.vfs.directory import DirectoryFile
from sentry.vfs.file import FileDescription
from sentry.vfs.mount import MS_NODEV
from syscalls.abi.errno import EACCES, ENXIO
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT

if TYPE_CHECKING:
    from sentry.vfs.context import OpenContext
    from sentry.vfs.inode import Inode


class PathFile(FileDescription):
    """O_PATH: a place in the tree, no more."""

    __slots__ = ()


def open_special_now(inode: "Inode", context: "OpenContext") -> FileDescription | None:
    """Open a directory or a device; None for what may wait. Errors: ENXIO (no driver, a socket), EACCES (nodev mount)."""
    attr = inode.attr
    kind = attr.mode & S_IFMT
    if kind == S_IFDIR:
        return DirectoryFile(inode, context.flags, context.path)
    mounts = context.task.kernel.mounts
    if kind in (S_IFCHR, S_IFBLK):
        if context.path.mount.flags & MS_NODEV:
            raise SyscallError(EACCES)
        opener = mounts.devices.find(kind, attr.rdev)
        if opener is None:
            raise SyscallError(ENXIO)
        return opener(inode, context)
    if kind == S_IFIFO and mounts.open_fifo is not None:
        return None
    raise SyscallError(ENXIO)


async def open_special(inode: "Inode", context: "OpenContext") -> FileDescription:
    """Open anything but a regular file. Errors: as ``open_special_now``, those of a FIFO."""
    file = open_special_now(inode, context)
    if file is None:
        open_fifo = context.task.kernel.mounts.open_fifo
        assert open_fifo is not None
        file = await open_fifo(inode, context)
    return file
