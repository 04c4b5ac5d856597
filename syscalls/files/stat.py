"""stat(2), lstat(2), fstat(2), newfstatat(2): the attributes of a file.

The answer for a path in the dentry cache is made without a coroutine.
"""

from typing import Annotated, Final

from sentry.kernel.io import Outcome
from sentry.kernel.task import Task
from sentry.vfs.inode import Inode
from sentry.vfs.lookup import start_of
from sentry.vfs.namespace import try_resolve
from sentry.vfs.pathwalk import walk_fresh
from sentry.vfs.stat import Attr
from syscalls.abi.fcntl import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_STATX_DONT_SYNC,
    AT_STATX_FORCE_SYNC,
    AT_SYMLINK_NOFOLLOW,
)
from syscalls.abi.stat import STAT
from syscalls.args import Fd, Flags, PathPtr, UserPtr
from syscalls.registry import syscall

NS: Final = 1_000_000_000
_FLAGS: Final = Flags(
    "AT", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, ignored=AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC | AT_STATX_FORCE_SYNC
)
_pack: Final = STAT.pack


@syscall(man="stat(2)")
def sys_stat(task: Task, pathname: PathPtr, statbuf: UserPtr) -> Outcome:
    """Write the attributes of what ``pathname`` names. Errors: as path_resolution(7), EFAULT."""
    return _stat_path(task, AT_FDCWD, task.memory.read_path(pathname), statbuf, follow=True)


@syscall(man="stat(2)")
def sys_lstat(task: Task, pathname: PathPtr, statbuf: UserPtr) -> Outcome:
    """Like stat, but of a symbolic link itself."""
    return _stat_path(task, AT_FDCWD, task.memory.read_path(pathname), statbuf, follow=False)


@syscall(man="stat(2)")
def sys_fstat(task: Task, fd: Fd, statbuf: UserPtr) -> Outcome:
    """Write the attributes of an open file. Errors: EBADF, EFAULT."""
    return _stat_inode(task, task.fds.get_any(fd).inode, statbuf)


@syscall(man="stat(2)")
def sys_newfstatat(task: Task, dirfd: Fd, pathname: PathPtr, statbuf: UserPtr, flags: Annotated[int, _FLAGS]) -> Outcome:
    """Like stat from ``dirfd``; an empty path with AT_EMPTY_PATH means the descriptor itself (or a NULL one, since 6.11)."""
    path = task.memory.read_path(pathname) if pathname or not flags & AT_EMPTY_PATH else b""
    if not path and flags & AT_EMPTY_PATH:
        inode = task.fs.cwd.inode if dirfd == AT_FDCWD else task.fds.get_any(dirfd).inode
        return _stat_inode(task, inode, statbuf)
    return _stat_path(task, dirfd, path, statbuf, follow=not flags & AT_SYMLINK_NOFOLLOW)


def _stat_path(task: Task, dirfd: int, path: bytes, statbuf: int, *, follow: bool) -> Outcome:
    place = try_resolve(task, dirfd, path, follow=follow)
    if place is None:
        return _stat_uncached(task, dirfd, path, statbuf, follow)
    return _stat_inode(task, place.inode, statbuf)


async def _stat_uncached(task: Task, dirfd: int, path: bytes, statbuf: int, follow: bool) -> int:
    place, is_fresh = await walk_fresh(task, start_of(task, dirfd, path), path, follow=follow)
    inode = place.inode
    attr = inode.attr if is_fresh and inode.has_fresh_lookup else await inode.getattr()
    task.memory.write(statbuf, pack_stat(inode, attr))
    return 0


def _stat_inode(task: Task, inode: Inode, statbuf: int) -> Outcome:
    if not inode.has_current_attr:
        return _stat_remote(task, inode, statbuf)
    task.memory.write(statbuf, pack_stat(inode, inode.attr))
    return 0


async def _stat_remote(task: Task, inode: Inode, statbuf: int) -> int:
    task.memory.write(statbuf, pack_stat(inode, await inode.getattr()))
    return 0


def pack_stat(inode: Inode, attr: Attr) -> bytes:
    """The struct stat of x86-64."""
    atime, mtime, ctime = attr.atime_ns, attr.mtime_ns, attr.ctime_ns
    return _pack(
        inode.fs.dev,
        attr.ino,
        attr.nlink,
        attr.mode,
        attr.uid,
        attr.gid,
        attr.rdev,
        attr.size,
        attr.blksize,
        attr.blocks,
        atime // NS,
        atime % NS,
        mtime // NS,
        mtime % NS,
        ctime // NS,
        ctime % NS,
    )
