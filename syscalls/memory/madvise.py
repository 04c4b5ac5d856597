"""madvise(2): advice about the process's own memory, by an allow-list (kernel-facts.md 25)."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.mman import MADV_HWPOISON, MADV_MERGEABLE, MADV_UNMERGEABLE
from syscalls.args import PROCEED, Int, Result, Size, ULong
from syscalls.registry import Support, syscall

#: advice that the filter lets through untrapped: all up to MADV_COLLAPSE but page merging
HIGHEST_NATIVE = 25
REFUSED = frozenset((MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HWPOISON, MADV_HWPOISON + 1))


@syscall(
    man="madvise(2)",
    support=Support.PARTIAL,
    note="MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HWPOISON and MADV_SOFT_OFFLINE are EINVAL",
    native="advice about the process's own mappings",
    condition="advice is 0 to 25 but not MERGEABLE or UNMERGEABLE",
)
def sys_madvise(task: Task, addr: ULong, length: Size, advice: Int) -> Result:
    """Give advice about a range of memory. Errors: EINVAL, ENOMEM, EACCES, EBADF."""
    if advice in REFUSED or not 0 <= advice <= HIGHEST_NATIVE:
        raise SyscallError(EINVAL)
    return PROCEED
