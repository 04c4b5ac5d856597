"""truncate(2), ftruncate(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import truncate_path
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFMT, S_IFREG
from syscalls.args import Fd, Off, PathPtr
from syscalls.registry import syscall


@syscall(man="truncate(2)")
async def sys_truncate(task: Task, path: PathPtr, length: Off) -> int:
    """Set the size. Errors: EINVAL (negative, not a file), EISDIR, EACCES, EROFS, ETXTBSY, EFBIG, ENOSPC."""
    if length < 0:
        raise SyscallError(EINVAL)
    await truncate_path(task, task.memory.read_path(path), length)
    return 0


@syscall(man="truncate(2)")
async def sys_ftruncate(task: Task, fd: Fd, length: Off) -> int:
    """Like truncate of an open file. Errors: EBADF, EINVAL (not writable, not a file)."""
    if length < 0:
        raise SyscallError(EINVAL)
    file = task.fds.get(fd)
    if not file.is_writable or file.inode.attr.mode & S_IFMT not in (S_IFREG, 0):
        raise SyscallError(EINVAL)
    file.acquire()
    try:
        await file.truncate(length)
    finally:
        file.release()
    return 0
