"""personality(2): the host keeps it, since it decides about address layout at the next exec."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.personality import (
    ADDR_COMPAT_LAYOUT,
    ADDR_NO_RANDOMIZE,
    PER_LINUX32,
    SHORT_INODE,
    STICKY_TIMEOUTS,
    UNAME26,
    WHOLE_SECONDS,
)
from syscalls.args import PROCEED, Result, UInt
from syscalls.registry import Support, syscall

_QUERY = 0xFFFFFFFF
_ALLOWED = PER_LINUX32 | UNAME26 | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | SHORT_INODE | WHOLE_SECONDS | STICKY_TIMEOUTS


@syscall(man="personality(2)", support=Support.PARTIAL, note="other domains, READ_IMPLIES_EXEC and 3 GB layouts are EINVAL")
def sys_personality(task: Task, persona: UInt) -> Result:
    """Set and return the execution domain. Errors: EINVAL."""
    if persona != _QUERY and persona & ~_ALLOWED:
        raise SyscallError(EINVAL)
    return PROCEED
