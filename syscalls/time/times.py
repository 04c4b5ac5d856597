"""times(2): the host kernel knows what the guest's process has used, and only writes the result."""

from sentry.kernel.task import Task
from syscalls.args import PROCEED, Result, UserPtr
from syscalls.registry import syscall


@syscall(man="times(2)")
def sys_times(task: Task, buf: UserPtr) -> Result:
    """Store the processor times of the process and its waited-for children. Errors: EFAULT."""
    return PROCEED
