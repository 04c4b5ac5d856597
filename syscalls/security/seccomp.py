"""seccomp(2): the guest's own filters are not evaluated yet, so none is accepted."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.seccomp import SECCOMP_GET_ACTION_AVAIL
from syscalls.args import UInt, UserPtr
from syscalls.registry import Support, syscall


@syscall(man="seccomp(2)", support=Support.STUB, note="EINVAL: no filters of the guest's own, as a kernel without them")
def sys_seccomp(task: Task, operation: UInt, flags: UInt, args: UserPtr) -> int:
    """Refuse a filter. Errors: EINVAL; EOPNOTSUPP no action is available."""
    if operation == SECCOMP_GET_ACTION_AVAIL and not flags:
        task.memory.read_u32(args)
        raise SyscallError(EOPNOTSUPP)
    raise SyscallError(EINVAL)
