"""open(2), creat(2), openat(2). What is at hand is opened without a coroutine."""

from typing import Final

from sentry.kernel.io import Outcome
from sentry.kernel.task import Task
from sentry.vfs.namespace import open_at
from sentry.vfs.opening import TMPFILE_BIT, open_cached
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import (
    AT_FDCWD,
    O_ACCMODE,
    O_APPEND,
    O_ASYNC,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECT,
    O_DIRECTORY,
    O_DSYNC,
    O_EXCL,
    O_LARGEFILE,
    O_NOATIME,
    O_NOCTTY,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_SYNC,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
)
from syscalls.abi.stat import S_IFMT, S_IFREG
from syscalls.args import Fd, Mode, PathPtr, UInt
from syscalls.registry import syscall

VALID_FLAGS: Final = (
    O_ACCMODE
    | O_APPEND
    | O_ASYNC
    | O_CLOEXEC
    | O_CREAT
    | O_DIRECT
    | O_DIRECTORY
    | O_EXCL
    | O_LARGEFILE
    | O_NOATIME
    | O_NOCTTY
    | O_NOFOLLOW
    | O_NONBLOCK
    | O_PATH
    | O_SYNC
    | O_TMPFILE
    | O_TRUNC
)

#: what ``open_and_install`` looks at
_RARE: Final = O_DIRECT | O_SYNC


@syscall(man="open(2)")
def sys_open(task: Task, pathname: PathPtr, flags: UInt, mode: Mode) -> Outcome:
    """Open or create. Errors: as path_resolution(7), EEXIST, EISDIR, EINVAL, EMFILE, ENXIO, EROFS, ETXTBSY."""
    return _open(task, AT_FDCWD, pathname, flags, mode)


@syscall(man="open(2)")
def sys_openat(task: Task, dirfd: Fd, pathname: PathPtr, flags: UInt, mode: Mode) -> Outcome:
    """Like open from ``dirfd``."""
    return _open(task, dirfd, pathname, flags, mode)


@syscall(man="open(2)")
async def sys_creat(task: Task, pathname: PathPtr, mode: Mode) -> int:
    """open with O_CREAT, O_WRONLY and O_TRUNC."""
    return await open_and_install(task, AT_FDCWD, task.memory.read_path(pathname), O_CREAT | O_WRONLY | O_TRUNC, mode)


def _open(task: Task, dirfd: int, pathname: int, flags: int, mode: int) -> Outcome:
    check_flags(flags)
    path = task.memory.read_path(pathname)
    flags &= VALID_FLAGS
    task.fds.check_room()
    file = None if flags & _RARE else open_cached(task, dirfd, path, flags)
    if file is None:
        return open_and_install(task, dirfd, path, flags, mode)
    return task.fds.install(file, cloexec=bool(flags & O_CLOEXEC))


async def open_and_install(task: Task, dirfd: int, path: bytes, flags: int, mode: int, resolve: int = 0) -> int:
    """What all three (and openat2) do with arguments that ``check_flags`` has passed. Errors: as sys_open."""
    task.fds.check_room()
    if flags & O_SYNC & ~O_DSYNC:
        flags |= O_DSYNC
    file = await open_at(task, dirfd, path, flags, mode & 0o7777, resolve)
    file.acquire()
    try:
        if flags & O_DIRECT and not flags & O_PATH and file.inode.attr.mode & S_IFMT != S_IFREG:
            raise SyscallError(EINVAL)
        return task.fds.install(file, cloexec=bool(flags & O_CLOEXEC))
    finally:
        file.release()


def check_flags(flags: int) -> None:
    """Combinations that make no sense (Linux: fs/open.c, build_open_flags()). Errors: EINVAL."""
    if flags & TMPFILE_BIT:
        if not flags & O_DIRECTORY or flags & O_CREAT or not flags & O_ACCMODE:
            raise SyscallError(EINVAL)
    elif flags & (O_CREAT | O_DIRECTORY) == O_CREAT | O_DIRECTORY and not flags & O_PATH:
        raise SyscallError(EINVAL)
