"""getpid(2), getppid(2), gettid(2)."""

from sentry.kernel.task import Task
from syscalls.registry import syscall


@syscall(man="getpid(2)")
def sys_getpid(task: Task) -> int:
    """Return the process's number in its pid namespace."""
    return task.group.tgid


@syscall(man="getpid(2)")
def sys_getppid(task: Task) -> int:
    """Return the parent's number; 0 for a container's first process."""
    parent = task.group.parent
    return parent.tgid if parent is not None else 0


@syscall(man="gettid(2)")
def sys_gettid(task: Task) -> int:
    """Return the thread's number."""
    return task.tid
