"""umask(2)."""

from sentry.kernel.task import Task
from syscalls.args import Mode
from syscalls.registry import syscall


@syscall(man="umask(2)")
def sys_umask(task: Task, mask: Mode) -> int:
    """Set the mask for new files and return the old one."""
    old, task.fs.umask = task.fs.umask, mask & 0o777
    return old
