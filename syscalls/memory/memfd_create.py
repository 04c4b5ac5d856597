"""memfd_create(2)."""

from typing import Annotated

from sentry.fs.memfd import memfd
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import F_SEAL_EXEC, F_SEAL_SEAL
from syscalls.abi.mman import MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, MFD_NOEXEC_SEAL
from syscalls.args import Flags, UserPtr
from syscalls.registry import Support, syscall

NAME_MAX = 249
_FLAGS = Flags("MFD", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC | MFD_NOEXEC_SEAL)


@syscall(man="memfd_create(2)", support=Support.PARTIAL, note="MFD_HUGETLB is EINVAL")
def sys_memfd_create(task: Task, name: UserPtr, flags: Annotated[int, _FLAGS]) -> int:
    """Return a descriptor for a new file in memory. Errors: EINVAL, EFAULT, EMFILE, ENOSPC."""
    if flags & MFD_EXEC and flags & MFD_NOEXEC_SEAL:
        raise SyscallError(EINVAL)
    text = task.memory.guest.read_string(name, NAME_MAX + 1)
    if text is None:
        raise SyscallError(EINVAL)
    seals = 0 if flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL) else F_SEAL_SEAL
    mode = 0o777
    if flags & MFD_NOEXEC_SEAL:
        seals, mode = seals | F_SEAL_EXEC, 0o666
    return task.fds.install(memfd(task, text, mode, seals), cloexec=bool(flags & MFD_CLOEXEC))
