"""symlink(2), symlinkat(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import symlink_at
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.args import Fd, PathPtr
from syscalls.registry import syscall


@syscall(man="symlink(2)")
async def sys_symlink(task: Task, target: PathPtr, linkpath: PathPtr) -> int:
    """Make a symbolic link. Errors: ENOENT (empty target), EEXIST, EACCES, EROFS."""
    return await _symlink(task, target, AT_FDCWD, linkpath)


@syscall(man="symlink(2)")
async def sys_symlinkat(task: Task, target: PathPtr, newdirfd: Fd, linkpath: PathPtr) -> int:
    """Like symlink from ``newdirfd``."""
    return await _symlink(task, target, newdirfd, linkpath)


async def _symlink(task: Task, target: int, dirfd: int, linkpath: int) -> int:
    text, path = task.memory.read_path(target), task.memory.read_path(linkpath)
    await symlink_at(task, text, dirfd, path)
    return 0
