"""access(2), faccessat(2), faccessat2(2): what the real ids may do."""

from typing import Annotated, Final

from sentry.kernel.io import Outcome
from sentry.kernel.task import Task
from sentry.vfs.attributes import access_cached
from sentry.vfs.namespace import access_at
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.args import Fd, Flags, Int, PathPtr
from syscalls.registry import syscall

_FLAGS: Final = Flags("AT", AT_EACCESS | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)


@syscall(man="access(2)")
def sys_access(task: Task, pathname: PathPtr, mode: Int) -> Outcome:
    """Errors: EACCES, EROFS, EINVAL, as path_resolution(7)."""
    return _access(task, AT_FDCWD, pathname, mode, 0)


@syscall(man="access(2)")
def sys_faccessat(task: Task, dirfd: Fd, pathname: PathPtr, mode: Int) -> Outcome:
    """Like access from ``dirfd``; the call has no flags."""
    return _access(task, dirfd, pathname, mode, 0)


@syscall(man="access(2)")
def sys_faccessat2(task: Task, dirfd: Fd, pathname: PathPtr, mode: Int, flags: Annotated[int, _FLAGS]) -> Outcome:
    """Like faccessat, with flags."""
    return _access(task, dirfd, pathname, mode, flags)


def _access(task: Task, dirfd: int, pathname: int, mode: int, flags: int) -> Outcome:
    if mode & ~7:
        raise SyscallError(EINVAL)
    path = task.memory.read_path(pathname)
    if not flags and access_cached(task, dirfd, path, mode):
        return 0
    return _access_uncached(task, dirfd, path, mode, flags)


async def _access_uncached(task: Task, dirfd: int, path: bytes, mode: int, flags: int) -> int:
    await access_at(task, dirfd, path, mode, flags)
    return 0
