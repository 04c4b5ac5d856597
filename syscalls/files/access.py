"""access(2), faccessat(2), faccessat2(2): what the real ids may do."""

from typing import Annotated, Final

from sentry.kernel.task import Task
from sentry.vfs.namespace import access_at
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.args import Fd, Flags, Int, PathPtr
from syscalls.registry import syscall

_FLAGS: Final = Flags("AT", AT_EACCESS | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)


@syscall(man="access(2)")
async def sys_access(task: Task, pathname: PathPtr, mode: Int) -> int:
    """Errors: EACCES, EROFS, EINVAL, as path_resolution(7)."""
    return await _access(task, AT_FDCWD, pathname, mode, 0)


@syscall(man="access(2)")
async def sys_faccessat(task: Task, dirfd: Fd, pathname: PathPtr, mode: Int) -> int:
    """Like access from ``dirfd``; the call has no flags."""
    return await _access(task, dirfd, pathname, mode, 0)


@syscall(man="access(2)")
async def sys_faccessat2(task: Task, dirfd: Fd, pathname: PathPtr, mode: Int, flags: Annotated[int, _FLAGS]) -> int:
    """Like faccessat, with flags."""
    return await _access(task, dirfd, pathname, mode, flags)


async def _access(task: Task, dirfd: int, pathname: int, mode: int, flags: int) -> int:
    if mode & ~7:
        raise SyscallError(EINVAL)
    await access_at(task, dirfd, task.memory.read_path(pathname), mode, flags)
    return 0
