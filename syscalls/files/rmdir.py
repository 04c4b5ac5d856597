"""rmdir(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import unlink_at
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.args import PathPtr
from syscalls.registry import syscall


@syscall(man="rmdir(2)")
async def sys_rmdir(task: Task, pathname: PathPtr) -> int:
    """Remove an empty directory. Errors: ENOTEMPTY, ENOTDIR, EBUSY, EINVAL (`.`), EPERM (sticky)."""
    await unlink_at(task, AT_FDCWD, task.memory.read_path(pathname), is_rmdir=True)
    return 0
