"""membarrier(2): only the private commands, which reach no process but the caller's (kernel-facts.md 25)."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.args import PROCEED, Int, Result, UInt
from syscalls.registry import Support, syscall

QUERY, PRIVATE, REGISTER_PRIVATE, PRIVATE_SYNC_CORE, REGISTER_PRIVATE_SYNC_CORE = 0, 8, 16, 32, 64
PRIVATE_COMMANDS = (PRIVATE, REGISTER_PRIVATE, PRIVATE_SYNC_CORE, REGISTER_PRIVATE_SYNC_CORE)


@syscall(
    man="membarrier(2)",
    support=Support.PARTIAL,
    note="global and rseq commands are EINVAL and not offered",
    native="orders the memory accesses of the calling process only",
    condition="cmd is a PRIVATE_EXPEDITED command, SYNC_CORE or the registration of one",
)
def sys_membarrier(task: Task, cmd: Int, flags: UInt, cpu_id: Int) -> Result:
    """Order memory accesses of the process's threads. Errors: EINVAL."""
    if cmd == QUERY and not flags:
        return sum(PRIVATE_COMMANDS)
    if cmd not in PRIVATE_COMMANDS:
        raise SyscallError(EINVAL)
    return PROCEED
