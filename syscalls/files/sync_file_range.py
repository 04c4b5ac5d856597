"""sync_file_range(2)."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, ESPIPE
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import SYNC_FILE_RANGE_WRITE_AND_WAIT
from syscalls.abi.stat import S_IFBLK, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from syscalls.args import Fd, Off, UInt
from syscalls.registry import syscall


@syscall(man="sync_file_range(2)")
async def sys_sync_file_range(
    task: Task, fd: Fd, offset: Off, nbytes: Off, flags: UInt
) -> int:
    """Write a range back; here all of the file. Errors: EBADF, EINVAL, ESPIPE, EIO."""
    file = task.fds.get(fd)
    if flags & ~SYNC_FILE_RANGE_WRITE_AND_WAIT or offset < 0 or nbytes < 0 or offset + nbytes >= 1 << 63:
        raise SyscallError(EINVAL)
    if file.inode.attr.mode & S_IFMT not in (S_IFREG, S_IFBLK, S_IFDIR, S_IFLNK):
        raise SyscallError(ESPIPE)
    if flags:
        await file.fsync(data_only=True)
    return 0
