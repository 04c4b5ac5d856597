"""inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2)."""

from typing import Annotated, Final

from sentry.fs.anon import anon_inode
from sentry.fs.inotify import InotifyFile
from sentry.kernel.task import Task
from sentry.vfs.namespace import resolve
from sentry.vfs.permission import MAY_READ, check_permission
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD, O_RDONLY
from syscalls.abi.inotify import (
    IN_ALL_EVENTS,
    IN_CLOEXEC,
    IN_DONT_FOLLOW,
    IN_EXCL_UNLINK,
    IN_MASK_ADD,
    IN_MASK_CREATE,
    IN_NONBLOCK,
    IN_ONESHOT,
    IN_ONLYDIR,
)
from syscalls.args import Fd, Flags, Int, PathPtr, UInt
from syscalls.registry import Support, syscall

_NOTE: Final = "of what others do to a volume, changes are heard, not reading; on a network file system neither"
_VALID: Final = IN_ALL_EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT


@syscall(man="inotify_init(2)")
def sys_inotify_init(task: Task) -> int:
    """Return a descriptor for a new instance. Errors: EMFILE."""
    return _new(task, 0)


@syscall(man="inotify_init(2)")
def sys_inotify_init1(task: Task, flags: Annotated[int, Flags("IN", IN_CLOEXEC | IN_NONBLOCK)]) -> int:
    """inotify_init with flags. Errors: EINVAL, EMFILE."""
    return _new(task, flags)


@syscall(man="inotify_add_watch(2)", support=Support.PARTIAL, note=_NOTE)
async def sys_inotify_add_watch(task: Task, fd: Fd, pathname: PathPtr, mask: UInt) -> int:
    """Watch a path, or change what is watched of it. Errors: EBADF, EINVAL, EEXIST, EACCES, ENOTDIR, ENOSPC."""
    if not mask & _VALID & ~(IN_ONLYDIR | IN_DONT_FOLLOW) or mask & ~_VALID & 0x0FFFFFFF & ~IN_ALL_EVENTS:
        raise SyscallError(EINVAL)
    file = _instance(task, fd)
    if mask & IN_MASK_ADD and mask & IN_MASK_CREATE:
        raise SyscallError(EINVAL)
    path = task.memory.read_path(pathname)
    file.acquire()
    try:
        place = await resolve(task, AT_FDCWD, path, follow=not mask & IN_DONT_FOLLOW, want_directory=bool(mask & IN_ONLYDIR))
        check_permission(task.credentials, place.inode.attr, MAY_READ)
        return file.add(place, mask)
    finally:
        file.release()


@syscall(man="inotify_rm_watch(2)")
def sys_inotify_rm_watch(task: Task, fd: Fd, wd: Int) -> int:
    """End a watch. Errors: EBADF, EINVAL."""
    _instance(task, fd).remove(wd)
    return 0


def _new(task: Task, flags: int) -> int:
    file = InotifyFile(anon_inode(task.kernel, b"inotify"), O_RDONLY | flags & IN_NONBLOCK)
    return task.fds.install(file, cloexec=bool(flags & IN_CLOEXEC))


def _instance(task: Task, fd: int) -> InotifyFile:
    file = task.fds.get(fd)
    if not isinstance(file, InotifyFile):
        raise SyscallError(EINVAL)
    return file
