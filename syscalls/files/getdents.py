"""getdents(2), getdents64(2): the entries of a directory.

Positions count entries of a snapshot that is taken at position 0, so that entries made or removed meanwhile do not shift others.
"""

from collections.abc import Callable

from sentry.kernel.task import Task
from sentry.vfs.directory import DirectoryFile
from sentry.vfs.file import Entry
from sentry.vfs.watch import touched
from syscalls.abi.errno import EFAULT, EINVAL, ENOENT, ENOTDIR
from syscalls.abi.errors import Fault, SyscallError
from syscalls.abi.inotify import IN_ACCESS
from syscalls.abi.stat import DIRENT, DIRENT64, S_IFDIR, S_IFMT
from syscalls.args import Fd, UInt, UserPtr
from syscalls.registry import syscall

Packer = Callable[[Entry, int], bytes]


@syscall(man="getdents(2)")
async def sys_getdents64(task: Task, fd: Fd, dirp: UserPtr, count: UInt) -> int:
    """Return how many bytes of entries were stored, 0 at the end. Errors: EBADF, ENOTDIR, EINVAL (too small), EFAULT, ENOENT."""
    return await _getdents(task, fd, dirp, count, _pack64)


@syscall(man="getdents(2)")
async def sys_getdents(task: Task, fd: Fd, dirp: UserPtr, count: UInt) -> int:
    """The old layout: the type is in the last byte."""
    return await _getdents(task, fd, dirp, count, _pack)


async def _getdents(task: Task, fd: int, dirp: int, count: int, pack: Packer) -> int:
    file = task.fds.get(fd)
    file.acquire()
    try:
        if file.inode.attr.mode & S_IFMT != S_IFDIR:
            raise SyscallError(ENOTDIR)
        if file.path is not None and file.path.dentry.is_deleted:
            raise SyscallError(ENOENT)
        position = file.offset
        entries = await (file.snapshot(position) if isinstance(file, DirectoryFile) else file.read_entries())
        records: list[bytes] = []
        room = count
        for index in range(position, len(entries)):
            record = pack(entries[index], index + 1)
            room -= len(record)
            if room < 0:
                break
            records.append(record)
        if not records:
            if position < len(entries):
                raise SyscallError(EINVAL)
            return 0
        data = b"".join(records)
        try:
            task.memory.write(dirp, data)
        except Fault as error:
            raise SyscallError(EFAULT) from error
        file.offset = position + len(records)
        touched(file, IN_ACCESS)
        return len(data)
    finally:
        file.release()


def _pack64(entry: Entry, next_position: int) -> bytes:
    name = entry.name
    length = (DIRENT64.size + len(name) + 8) & ~7
    return DIRENT64.pack(entry.ino, next_position, length, entry.type) + name + bytes(length - DIRENT64.size - len(name))


def _pack(entry: Entry, next_position: int) -> bytes:
    name = entry.name
    length = (DIRENT.size + len(name) + 2 + 7) & ~7
    padding = bytes(length - DIRENT.size - len(name) - 1)
    return DIRENT.pack(entry.ino, next_position, length) + name + padding + bytes((entry.type,))
