"""arch_prctl(2): the thread pointer."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.args import PROCEED, Int, Result, ULong
from syscalls.registry import Support, syscall

ARCH_SET_GS, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS = range(0x1001, 0x1005)
BASES = (ARCH_SET_GS, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS)


@syscall(
    man="arch_prctl(2)",
    support=Support.PARTIAL,
    note="only the FS and GS bases; others are EINVAL, as on processors and kernels without them",
    native="sets and reads the thread's own segment bases",
    condition="code is SET_FS, GET_FS, SET_GS or GET_GS",
)
def sys_arch_prctl(task: Task, code: Int, addr: ULong) -> Result:
    """Set or read a segment base. Errors: EINVAL, EPERM, EFAULT."""
    if code not in BASES:
        raise SyscallError(EINVAL)
    return PROCEED
