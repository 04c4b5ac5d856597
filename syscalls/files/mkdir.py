"""mkdir(2), mkdirat(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import mkdir_at
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.args import Fd, Mode, PathPtr
from syscalls.registry import syscall


@syscall(man="mkdir(2)")
async def sys_mkdir(task: Task, pathname: PathPtr, mode: Mode) -> int:
    """Make a directory. Errors: EEXIST, ENOENT, EACCES, EROFS, ENOSPC."""
    await mkdir_at(task, AT_FDCWD, task.memory.read_path(pathname), mode)
    return 0


@syscall(man="mkdir(2)")
async def sys_mkdirat(task: Task, dirfd: Fd, pathname: PathPtr, mode: Mode) -> int:
    """Like mkdir from ``dirfd``."""
    await mkdir_at(task, dirfd, task.memory.read_path(pathname), mode)
    return 0
