"""chmod(2), fchmod(2), fchmodat(2), fchmodat2(2)."""

from typing import Annotated

from sentry.kernel.task import Task
from sentry.vfs.namespace import chmod_at, chmod_place, place_of
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.args import Fd, Flags, Mode, PathPtr
from syscalls.registry import syscall


@syscall(man="chmod(2)")
async def sys_chmod(task: Task, pathname: PathPtr, mode: Mode) -> int:
    """Set the permission bits. Errors: EPERM, EROFS, as path_resolution(7)."""
    await chmod_at(task, AT_FDCWD, task.memory.read_path(pathname), mode)
    return 0


@syscall(man="chmod(2)")
async def sys_fchmod(task: Task, fd: Fd, mode: Mode) -> int:
    """Like chmod of an open file. Errors: EBADF (O_PATH too)."""
    await chmod_place(task, place_of(task, task.fds.get(fd)), mode)
    return 0


@syscall(man="chmod(2)")
async def sys_fchmodat(task: Task, dirfd: Fd, pathname: PathPtr, mode: Mode) -> int:
    """Like chmod from ``dirfd``; the call has no flags."""
    await chmod_at(task, dirfd, task.memory.read_path(pathname), mode)
    return 0


@syscall(man="chmod(2)")
async def sys_fchmodat2(
    task: Task,
    dirfd: Fd,
    pathname: PathPtr,
    mode: Mode,
    flags: Annotated[int, Flags("AT", AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)],
) -> int:
    """Like fchmodat, with flags. Errors: EOPNOTSUPP for a symbolic link itself."""
    await chmod_at(task, dirfd, task.memory.read_path(pathname), mode, flags)
    return 0
