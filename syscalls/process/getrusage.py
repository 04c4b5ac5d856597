"""getrusage(2): the host kernel knows what the guest's process has used, and only writes the result."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.resource import RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD
from syscalls.args import PROCEED, Int, Result, UserPtr
from syscalls.registry import syscall


@syscall(man="getrusage(2)")
def sys_getrusage(task: Task, who: Int, usage: UserPtr) -> Result:
    """Store the resource usage of the process, its waited-for children or the thread. Errors: EINVAL, EFAULT."""
    if who not in (RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD):
        raise SyscallError(EINVAL)
    return PROCEED
