"""brk(2), mprotect(2), mremap(2), mincore(2), mlock(2): the process's own address space, kept by the host kernel.

Their arguments are registers and reach nothing but the caller's own mappings.
"""

from sentry.kernel.rlimits import get_limit
from sentry.kernel.task import Task
from syscalls.abi.capability import CAP_IPC_LOCK
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.mman import MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT
from syscalls.abi.resource import RLIMIT_MEMLOCK
from syscalls.args import PROCEED, Int, Result, Size, UInt, ULong, UserPtr
from syscalls.registry import Support, native, syscall

_LOCK_NOTE = "within the host's RLIMIT_MEMLOCK, also for the guest's root"

native("brk", "brk(2)", "moves the end of the process's own data segment")
native("mprotect", "mprotect(2)", "changes the protection of the process's own mappings, within the rights of their files")
native("mremap", "mremap(2)", "moves or resizes the process's own mappings")


@syscall(man="mincore(2)")
def sys_mincore(task: Task, addr: ULong, length: Size, vec: UserPtr) -> Result:
    """Store which pages are resident. Errors: EINVAL, ENOMEM, EFAULT."""
    return PROCEED


@syscall(man="msync(2)")
def sys_msync(task: Task, addr: ULong, length: Size, flags: Int) -> Result:
    """Write mapped pages back. Errors: EINVAL, EBUSY, ENOMEM."""
    return PROCEED


@syscall(man="mlock(2)", support=Support.PARTIAL, note=_LOCK_NOTE)
def sys_mlock(task: Task, addr: ULong, len: Size) -> Result:
    """Keep pages in memory, as far as the host's limit allows. Errors: ENOMEM, EPERM."""
    _check_may_lock(task)
    return PROCEED


@syscall(man="mlock(2)", support=Support.PARTIAL, note=_LOCK_NOTE)
def sys_mlock2(task: Task, addr: ULong, len: Size, flags: Int) -> Result:
    """mlock with MLOCK_ONFAULT. Errors: EINVAL, ENOMEM, EPERM."""
    if flags & ~MLOCK_ONFAULT:
        raise SyscallError(EINVAL)
    _check_may_lock(task)
    return PROCEED


@syscall(man="mlock(2)")
def sys_munlock(task: Task, addr: ULong, len: Size) -> Result:
    """Undo mlock. Errors: EINVAL, ENOMEM."""
    return PROCEED


@syscall(man="mlock(2)", support=Support.PARTIAL, note=_LOCK_NOTE)
def sys_mlockall(task: Task, flags: Int) -> Result:
    """Keep all pages in memory. Errors: EINVAL, ENOMEM, EPERM."""
    if flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) or not flags & (MCL_CURRENT | MCL_FUTURE):
        raise SyscallError(EINVAL)
    _check_may_lock(task)
    return PROCEED


@syscall(man="mlock(2)")
def sys_munlockall(task: Task) -> Result:
    """Undo mlockall."""
    return PROCEED


@syscall(man="remap_file_pages(2)")
def sys_remap_file_pages(task: Task, addr: ULong, size: Size, prot: ULong, pgoff: ULong, flags: ULong) -> Result:
    """Map other pages of the same file. Errors: EINVAL."""
    return PROCEED


@syscall(man="pkey_alloc(2)")
def sys_pkey_alloc(task: Task, flags: UInt, access_rights: UInt) -> Result:
    """Allocate a protection key. Errors: EINVAL, ENOSPC."""
    return PROCEED


@syscall(man="pkey_alloc(2)")
def sys_pkey_free(task: Task, pkey: Int) -> Result:
    """Free a protection key. Errors: EINVAL."""
    return PROCEED


@syscall(man="mprotect(2)")
def sys_pkey_mprotect(task: Task, addr: ULong, len: Size, prot: ULong, pkey: Int) -> Result:
    """mprotect with a protection key. Errors: EINVAL, EACCES, ENOMEM."""
    return PROCEED


def _check_may_lock(task: Task) -> None:
    """Errors: EPERM a limit of 0 without privilege. Linux: mm/mlock.c, can_do_mlock()."""
    if not get_limit(task.group, RLIMIT_MEMLOCK)[0] and not task.credentials.has(CAP_IPC_LOCK):
        raise SyscallError(EPERM)
