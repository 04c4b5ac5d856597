"""unlink(2), unlinkat(2)."""

from typing import Annotated

from sentry.kernel.task import Task
from sentry.vfs.namespace import unlink_at
from syscalls.abi.fcntl import AT_FDCWD, AT_REMOVEDIR
from syscalls.args import Fd, Flags, PathPtr
from syscalls.registry import syscall


@syscall(man="unlink(2)")
async def sys_unlink(task: Task, pathname: PathPtr) -> int:
    """Remove a name. Errors: EISDIR, ENOENT, EACCES, EPERM (sticky), EBUSY, EROFS."""
    await unlink_at(task, AT_FDCWD, task.memory.read_path(pathname), is_rmdir=False)
    return 0


@syscall(man="unlink(2)")
async def sys_unlinkat(task: Task, dirfd: Fd, pathname: PathPtr, flags: Annotated[int, Flags("AT", AT_REMOVEDIR)]) -> int:
    """Like unlink from ``dirfd``, or like rmdir with AT_REMOVEDIR."""
    await unlink_at(task, dirfd, task.memory.read_path(pathname), is_rmdir=bool(flags & AT_REMOVEDIR))
    return 0
