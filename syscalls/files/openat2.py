"""openat2(2): open with restrictions on the walk."""

from typing import Final

from sentry.kernel.task import Task
from syscalls.abi.errno import E2BIG, EAGAIN, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import (
    O_CLOEXEC,
    O_CREAT,
    O_DIRECTORY,
    O_NOFOLLOW,
    O_PATH,
    O_TMPFILE,
    O_TRUNC,
    OPEN_HOW,
    RESOLVE_BENEATH,
    RESOLVE_CACHED,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    RESOLVE_NO_XDEV,
)
from syscalls.args import Fd, PathPtr, Size, UserPtr
from syscalls.files.open import VALID_FLAGS, check_flags, open_and_install
from syscalls.registry import syscall

_RESOLVE: Final = (
    RESOLVE_BENEATH | RESOLVE_CACHED | RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV
)
_PAGE: Final = 4096


@syscall(man="openat2(2)")
async def sys_openat2(task: Task, dirfd: Fd, pathname: PathPtr, how: UserPtr, size: Size) -> int:
    """Open as ``how`` says. Errors: EINVAL (flags, mode without O_CREAT), E2BIG (a newer struct), EXDEV, ELOOP, EAGAIN."""
    if size < OPEN_HOW.size:
        raise SyscallError(EINVAL)
    if size > _PAGE:
        raise SyscallError(E2BIG)
    raw = task.memory.read(how, size)
    if any(raw[OPEN_HOW.size :]):
        raise SyscallError(E2BIG)
    flags, mode, resolve = OPEN_HOW.unpack_from(raw)
    _check(flags, mode, resolve)
    return await open_and_install(task, dirfd, task.memory.read_path(pathname), flags, mode, resolve)


def _check(flags: int, mode: int, resolve: int) -> None:
    if flags & ~VALID_FLAGS or resolve & ~_RESOLVE or mode & ~0o7777:
        raise SyscallError(EINVAL)
    if resolve & RESOLVE_BENEATH and resolve & RESOLVE_IN_ROOT:
        raise SyscallError(EINVAL)
    makes_file = flags & O_CREAT or flags & O_TMPFILE == O_TMPFILE
    if mode and not makes_file:
        raise SyscallError(EINVAL)
    if flags & O_PATH and flags & ~(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC):
        raise SyscallError(EINVAL)
    if resolve & RESOLVE_CACHED and (makes_file or flags & O_TRUNC):
        raise SyscallError(EAGAIN)
    check_flags(flags)
