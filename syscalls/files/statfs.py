"""statfs(2), fstatfs(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import place_of, statfs_path, statfs_place
from sentry.vfs.stat import StatFs
from syscalls.abi.stat import STATFS
from syscalls.args import Fd, PathPtr, UserPtr
from syscalls.registry import syscall


@syscall(man="statfs(2)")
async def sys_statfs(task: Task, path: PathPtr, buf: UserPtr) -> int:
    """Store the totals of the file system that holds ``path``. Errors: as path_resolution(7), EFAULT."""
    task.memory.write(buf, _pack(await statfs_path(task, task.memory.read_path(path))))
    return 0


@syscall(man="statfs(2)")
async def sys_fstatfs(task: Task, fd: Fd, buf: UserPtr) -> int:
    """The same for an open file. Errors: EBADF."""
    task.memory.write(buf, _pack(await statfs_place(place_of(task, task.fds.get_any(fd)))))
    return 0


def _pack(found: StatFs) -> bytes:
    return STATFS.pack(
        found.type,
        found.bsize,
        found.blocks,
        found.bfree,
        found.bavail,
        found.files,
        found.ffree,
        found.fsid,
        found.namelen,
        found.bsize,
        found.flags,
    )
