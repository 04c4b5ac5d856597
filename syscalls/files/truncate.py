"""truncate(2), ftruncate(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import truncate_path
from syscalls.abi.errno import EFBIG, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import RLIMIT_FSIZE
from syscalls.abi.signal import SIGXFSZ
from syscalls.abi.stat import S_IFMT, S_IFREG
from syscalls.args import Fd, Off, PathPtr
from syscalls.registry import syscall


@syscall(man="truncate(2)")
async def sys_truncate(task: Task, path: PathPtr, length: Off) -> int:
    """Set the size. Errors: EINVAL (negative, not a file), EISDIR, EACCES, EROFS, ETXTBSY, EFBIG, ENOSPC."""
    if length < 0:
        raise SyscallError(EINVAL)
    pathname = task.memory.read_path(path)
    check_size_limit(task, length)
    await truncate_path(task, pathname, length)
    return 0


@syscall(man="truncate(2)")
async def sys_ftruncate(task: Task, fd: Fd, length: Off) -> int:
    """Like truncate of an open file. Errors: EBADF, EINVAL (not writable, not a file)."""
    if length < 0:
        raise SyscallError(EINVAL)
    file = task.fds.get(fd)
    if not file.is_writable or file.inode.attr.mode & S_IFMT not in (S_IFREG, 0):
        raise SyscallError(EINVAL)
    if length > file.inode.attr.size:
        check_size_limit(task, length)
    file.acquire()
    try:
        await file.truncate(length)
    finally:
        file.release()
    return 0


def check_size_limit(task: Task, size: int) -> None:
    """RLIMIT_FSIZE. Errors: EFBIG, with SIGXFSZ."""
    limit = task.group.limits.get(RLIMIT_FSIZE)
    if limit is not None and size > limit[0]:
        task.kernel.signals.send_task(task, SIGXFSZ)
        raise SyscallError(EFBIG)
