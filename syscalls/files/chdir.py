"""chdir(2), fchdir(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import resolve
from sentry.vfs.permission import MAY_EXEC, check_permission
from syscalls.abi.errno import ENOTDIR
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.abi.stat import S_IFDIR, S_IFMT
from syscalls.args import Fd, PathPtr
from syscalls.registry import syscall


@syscall(man="chdir(2)")
async def sys_chdir(task: Task, path: PathPtr) -> int:
    """Change the working directory. Errors: ENOTDIR, EACCES, as path_resolution(7)."""
    place = await resolve(task, AT_FDCWD, task.memory.read_path(path), want_directory=True)
    check_permission(task.credentials, place.inode.attr, MAY_EXEC)
    task.fs.cwd = place
    return 0


@syscall(man="chdir(2)")
def sys_fchdir(task: Task, fd: Fd) -> int:
    """Change it to an open directory. Errors: EBADF, ENOTDIR, EACCES."""
    file = task.fds.get_any(fd)
    if file.path is None or file.inode.attr.mode & S_IFMT != S_IFDIR:
        raise SyscallError(ENOTDIR)
    check_permission(task.credentials, file.inode.attr, MAY_EXEC)
    task.fs.cwd = file.path
    return 0
