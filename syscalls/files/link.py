"""link(2), linkat(2)."""

from typing import Annotated

from sentry.kernel.task import Task
from sentry.vfs.namespace import link_at
from sentry.vfs.permission import CAP_DAC_READ_SEARCH
from syscalls.abi.errno import ENOENT
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW
from syscalls.args import Fd, Flags, PathPtr
from syscalls.registry import syscall


@syscall(man="link(2)")
async def sys_link(task: Task, oldpath: PathPtr, newpath: PathPtr) -> int:
    """Give a file one more name. Errors: EEXIST, EPERM (directories), EXDEV, EROFS."""
    old, new = task.memory.read_path(oldpath), task.memory.read_path(newpath)
    await link_at(task, AT_FDCWD, old, AT_FDCWD, new, 0)
    return 0


@syscall(man="link(2)")
async def sys_linkat(
    task: Task,
    olddirfd: Fd,
    oldpath: PathPtr,
    newdirfd: Fd,
    newpath: PathPtr,
    flags: Annotated[int, Flags("AT", AT_EMPTY_PATH | AT_SYMLINK_FOLLOW)],
) -> int:
    """Like link between two directories. Errors: ENOENT for AT_EMPTY_PATH and a descriptor that others have opened."""
    old, new = task.memory.read_path(oldpath), task.memory.read_path(newpath)
    if flags & AT_EMPTY_PATH and not old.startswith(b"/"):
        _check_opener(task, olddirfd)
    await link_at(task, olddirfd, old, newdirfd, new, flags)
    return 0


def _check_opener(task: Task, fd: int) -> None:
    """A descriptor itself is linked by who has opened it, with the same credentials still (Linux: fs/namei.c, path_init())."""
    if fd == AT_FDCWD or task.credentials.has(CAP_DAC_READ_SEARCH):
        return
    opener = task.fds.get_any(fd).opened_by
    if opener is not None and (opener[0] != task.credentials or opener[1] is not task.group):
        raise SyscallError(ENOENT)
