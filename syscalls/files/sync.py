"""sync(2), syncfs(2)."""

from sentry.kernel.task import Task
from syscalls.args import Fd
from syscalls.registry import syscall


@syscall(man="sync(2)")
async def sys_sync(task: Task) -> int:
    """Write all file systems back; always succeeds."""
    for fs in {mount.fs.dev: mount.fs for mount in task.mounts.mounts()}.values():
        await fs.sync()
    return 0


@syscall(man="sync(2)")
async def sys_syncfs(task: Task, fd: Fd) -> int:
    """Write one file system back. Errors: EBADF, EIO."""
    await task.fds.get(fd).inode.fs.sync()
    return 0
