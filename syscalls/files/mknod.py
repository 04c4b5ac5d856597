"""mknod(2), mknodat(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import mknod_at
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.args import Fd, Mode, PathPtr, UInt
from syscalls.registry import syscall


@syscall(man="mknod(2)")
async def sys_mknod(task: Task, pathname: PathPtr, mode: Mode, dev: UInt) -> int:
    """Make a file, FIFO, socket inode or device node. Errors: EPERM, EINVAL (type), EEXIST, EROFS."""
    await mknod_at(task, AT_FDCWD, task.memory.read_path(pathname), mode, dev)
    return 0


@syscall(man="mknod(2)")
async def sys_mknodat(task: Task, dirfd: Fd, pathname: PathPtr, mode: Mode, dev: UInt) -> int:
    """Like mknod from ``dirfd``."""
    await mknod_at(task, dirfd, task.memory.read_path(pathname), mode, dev)
    return 0
