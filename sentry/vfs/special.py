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


async def open_special(inode: "Inode", context: "OpenContext") -> FileDescription:
    """Open anything but a regular file. Errors: ENXIO (no driver, a socket), EACCES (nodev mount)."""
    kind = inode.attr.mode & S_IFMT
    if kind == S_IFDIR:
        return DirectoryFile(inode, context.flags, context.path)
    mounts = context.task.kernel.mounts
    if kind in (S_IFCHR, S_IFBLK):
        if context.path.mount.flags & MS_NODEV:
            raise SyscallError(EACCES)
        opener = mounts.devices.find(kind, inode.attr.rdev)
        if opener is None:
            raise SyscallError(ENXIO)
        opened = opener(inode, context)
        return opened if isinstance(opened, FileDescription) else await opened
    if kind == S_IFIFO and mounts.open_fifo is not None:
        return await mounts.open_fifo(inode, context)
    raise SyscallError(ENXIO)
