"""capget(2), capset(2): capability sets."""

from sentry.kernel import cred_change
from sentry.kernel.task import Task
from syscalls.abi.capability import (
    CAP_DATA_1,
    CAP_DATA_2,
    CAP_HEADER,
    LINUX_CAPABILITY_VERSION_1,
    LINUX_CAPABILITY_VERSION_2,
    LINUX_CAPABILITY_VERSION_3,
)
from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.args import UserPtr
from syscalls.registry import syscall

_LOW = 0xFFFFFFFF


@syscall(man="capget(2)")
def sys_capget(task: Task, hdrp: UserPtr, datap: UserPtr) -> int:
    """Store a thread's capability sets. Errors: EFAULT, EINVAL version or pid; ESRCH."""
    version, pid = task.memory.read_struct(CAP_HEADER, hdrp)
    if not _is_known(version):
        task.memory.write_u32(hdrp, LINUX_CAPABILITY_VERSION_3)
        if datap:
            raise SyscallError(EINVAL)
        return 0
    if not datap:
        return 0  # only the version was asked for
    if pid < 0:
        raise SyscallError(EINVAL)
    other = task if pid == 0 else task.kernel.tasks.find_task(pid)
    if other is None:
        raise SyscallError(ESRCH)
    task.memory.write(datap, _pack(other, version))
    return 0


@syscall(man="capget(2)")
def sys_capset(task: Task, hdrp: UserPtr, datap: UserPtr) -> int:
    """Set the calling thread's capability sets. Errors: EFAULT, EINVAL version; EPERM."""
    version, pid = task.memory.read_struct(CAP_HEADER, hdrp)
    if not _is_known(version):
        task.memory.write_u32(hdrp, LINUX_CAPABILITY_VERSION_3)
        raise SyscallError(EINVAL)
    if pid not in (0, task.tid):
        raise SyscallError(EPERM)
    if version == LINUX_CAPABILITY_VERSION_1:
        sets = task.memory.read_struct(CAP_DATA_1, datap)
    else:
        raw = task.memory.read_struct(CAP_DATA_2, datap)
        sets = tuple(low | high << 32 for low, high in zip(raw[:3], raw[3:], strict=True))
    effective, permitted, inheritable = sets
    task.credentials = cred_change.set_capabilities(task.credentials, effective, permitted, inheritable)
    return 0


def _is_known(version: int) -> bool:
    return version in (LINUX_CAPABILITY_VERSION_1, LINUX_CAPABILITY_VERSION_2, LINUX_CAPABILITY_VERSION_3)


def _pack(task: Task, version: int) -> bytes:
    creds = task.credentials
    sets = (creds.effective, creds.permitted, creds.inheritable)
    low = [mask & _LOW for mask in sets]
    if version == LINUX_CAPABILITY_VERSION_1:
        return CAP_DATA_1.pack(*low)
    return CAP_DATA_2.pack(*low, *(mask >> 32 for mask in sets))
