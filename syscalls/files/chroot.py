"""chroot(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import resolve
from sentry.vfs.permission import CAP_SYS_CHROOT, MAY_EXEC, check_permission
from syscalls.abi.errno import EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD
from syscalls.args import PathPtr
from syscalls.registry import syscall


@syscall(man="chroot(2)")
async def sys_chroot(task: Task, path: PathPtr) -> int:
    """Change where absolute paths start. Errors: EPERM without CAP_SYS_CHROOT, ENOTDIR, EACCES."""
    place = await resolve(task, AT_FDCWD, task.memory.read_path(path), want_directory=True)
    check_permission(task.credentials, place.inode.attr, MAY_EXEC)
    if not task.credentials.has(CAP_SYS_CHROOT):
        raise SyscallError(EPERM)
    task.fs.root = place
    return 0
