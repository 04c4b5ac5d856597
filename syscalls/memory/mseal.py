"""mseal(2): a mapping that can no longer be changed."""

from sentry.kernel.task import Task
from syscalls.args import PROCEED, Result, Size, ULong
from syscalls.registry import syscall


@syscall(man="mseal(2)")
def sys_mseal(task: Task, addr: ULong, length: Size, flags: ULong) -> Result:
    """Seal the caller's own mappings. Errors: EINVAL, ENOMEM; ENOSYS where the host is older than Linux 6.10."""
    return PROCEED
