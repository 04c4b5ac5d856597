"""chown(2), lchown(2), fchown(2), fchownat(2)."""

from typing import Annotated

from sentry.kernel.task import Task
from sentry.vfs.namespace import chown_at, chown_place, place_of
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.args import Fd, Flags, Id, PathPtr
from syscalls.registry import syscall


@syscall(man="chown(2)")
async def sys_chown(task: Task, pathname: PathPtr, owner: Id, group: Id) -> int:
    """Set owner and group; -1 leaves one alone. Errors: EPERM, EROFS, as path_resolution(7)."""
    await chown_at(task, AT_FDCWD, task.memory.read_path(pathname), owner, group, 0)
    return 0


@syscall(man="chown(2)")
async def sys_lchown(task: Task, pathname: PathPtr, owner: Id, group: Id) -> int:
    """Like chown, but of a symbolic link itself."""
    await chown_at(task, AT_FDCWD, task.memory.read_path(pathname), owner, group, AT_SYMLINK_NOFOLLOW)
    return 0


@syscall(man="chown(2)")
async def sys_fchown(task: Task, fd: Fd, owner: Id, group: Id) -> int:
    """Like chown of an open file. Errors: EBADF (O_PATH too)."""
    await chown_place(task, place_of(task, task.fds.get(fd)), owner, group)
    return 0


@syscall(man="chown(2)")
async def sys_fchownat(
    task: Task,
    dirfd: Fd,
    pathname: PathPtr,
    owner: Id,
    group: Id,
    flags: Annotated[int, Flags("AT", AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)],
) -> int:
    """Like chown from ``dirfd``."""
    await chown_at(task, dirfd, task.memory.read_path(pathname), owner, group, flags)
    return 0
