"""membarrier(2): only the private commands, which reach no process but the caller's (kernel-facts.md 25)."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.args import PROCEED, Int, Result, UInt
from syscalls.registry import Support, syscall

QUERY = 0
#: PRIVATE_EXPEDITED and its registration, the same for SYNC_CORE and for RSEQ
PRIVATE_COMMANDS = (8, 16, 32, 64, 128, 256)


@syscall(
    man="membarrier(2)",
    support=Support.PARTIAL,
    note="global commands are EINVAL",
    native="orders the memory accesses of the calling process only",
    condition="cmd is QUERY, a private command or the registration of one",
)
def sys_membarrier(task: Task, cmd: Int, flags: UInt, cpu_id: Int) -> Result:
    """Order memory accesses of the process's threads. Errors: EINVAL."""
    if cmd != QUERY and cmd not in PRIVATE_COMMANDS:
        raise SyscallError(EINVAL)
    return PROCEED
