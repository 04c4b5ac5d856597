"""getcwd(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import reachable_name
from syscalls.abi.errno import ENOENT, ERANGE
from syscalls.abi.errors import SyscallError
from syscalls.args import Size, UserPtr
from syscalls.registry import syscall


@syscall(man="getcwd(2)")
def sys_getcwd(task: Task, buf: UserPtr, size: Size) -> int:
    """Store the working directory's name with its NUL; returns the length. Errors: ERANGE, ENOENT (removed), EFAULT."""
    cwd = task.fs.cwd
    if cwd.dentry.is_deleted:
        raise SyscallError(ENOENT)
    name, is_reachable = reachable_name(cwd, task.fs.root)
    if not is_reachable:
        name = b"(unreachable)" + name
    if len(name) + 1 > size:
        raise SyscallError(ERANGE)
    task.memory.write(buf, name + b"\0")
    return len(name) + 1
