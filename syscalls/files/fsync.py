"""fsync(2), fdatasync(2)."""

from sentry.kernel.task import Task
from syscalls.args import Fd
from syscalls.registry import syscall


@syscall(man="fsync(2)")
async def sys_fsync(task: Task, fd: Fd) -> int:
    """Make contents and attributes durable. Errors: EBADF, EINVAL (pipes, sockets), EIO."""
    return await _fsync(task, fd, data_only=False)


@syscall(man="fsync(2)")
async def sys_fdatasync(task: Task, fd: Fd) -> int:
    """Make contents durable."""
    return await _fsync(task, fd, data_only=True)


async def _fsync(task: Task, fd: int, *, data_only: bool) -> int:
    file = task.fds.get(fd)
    file.acquire()
    try:
        await file.fsync(data_only=data_only)
    finally:
        file.release()
    return 0
