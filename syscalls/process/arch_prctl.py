"""arch_prctl(2): the thread pointer."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.args import PROCEED, Int, Result, ULong
from syscalls.registry import Support, syscall

ARCH_SET_GS, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS = range(0x1001, 0x1005)
ARCH_GET_CPUID = 0x1011
BASES = (ARCH_SET_GS, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS)


@syscall(
    man="arch_prctl(2)",
    support=Support.PARTIAL,
    note="only the FS and GS bases, and that CPUID is enabled; others are EINVAL, as on processors and kernels without them",
    native="sets and reads the thread's own segment bases",
    condition="code is SET_FS, GET_FS, SET_GS or GET_GS",
)
def sys_arch_prctl(task: Task, code: Int, addr: ULong) -> Result:
    """Set or read a segment base. Errors: EINVAL, EPERM, EFAULT."""
    if code == ARCH_GET_CPUID:
        return 1  # the instruction does not fault
    if code not in BASES:
        raise SyscallError(EINVAL)
    return PROCEED
