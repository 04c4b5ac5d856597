"""readlink(2), readlinkat(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import readlink_at
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.args import Fd, Int, PathPtr, UserPtr
from syscalls.registry import syscall


@syscall(man="readlink(2)")
async def sys_readlink(task: Task, pathname: PathPtr, buf: UserPtr, bufsiz: Int) -> int:
    """Store the text without a NUL, cut to ``bufsiz``; returns its length. Errors: EINVAL (no link, size ≤ 0)."""
    return await _readlink(task, AT_FDCWD, pathname, buf, bufsiz)


@syscall(man="readlink(2)")
async def sys_readlinkat(task: Task, dirfd: Fd, pathname: PathPtr, buf: UserPtr, bufsiz: Int) -> int:
    """Like readlink from ``dirfd``; an empty path means the link that ``dirfd`` is (O_PATH)."""
    return await _readlink(task, dirfd, pathname, buf, bufsiz)


async def _readlink(task: Task, dirfd: int, pathname: int, buf: int, bufsiz: int) -> int:
    if bufsiz <= 0:
        raise SyscallError(EINVAL)
    text = (await readlink_at(task, dirfd, task.memory.read_path(pathname)))[:bufsiz]
    task.memory.write(buf, text)
    return len(text)
