"""getuid(2), getgid(2), getresuid(2), getgroups(2): who the caller is. Credentials are the sentry's alone."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.args import Int, UserPtr
from syscalls.registry import syscall


@syscall(man="getuid(2)")
def sys_getuid(task: Task) -> int:
    """Return the real user id."""
    return task.credentials.uid


@syscall(man="getuid(2)")
def sys_geteuid(task: Task) -> int:
    """Return the effective user id."""
    return task.credentials.euid


@syscall(man="getgid(2)")
def sys_getgid(task: Task) -> int:
    """Return the real group id."""
    return task.credentials.gid


@syscall(man="getgid(2)")
def sys_getegid(task: Task) -> int:
    """Return the effective group id."""
    return task.credentials.egid


@syscall(man="getresuid(2)")
def sys_getresuid(task: Task, ruid: UserPtr, euid: UserPtr, suid: UserPtr) -> int:
    """Store real, effective and saved user id. Errors: EFAULT."""
    creds = task.credentials
    _store(task, (ruid, creds.uid), (euid, creds.euid), (suid, creds.suid))
    return 0


@syscall(man="getresuid(2)")
def sys_getresgid(task: Task, rgid: UserPtr, egid: UserPtr, sgid: UserPtr) -> int:
    """Store real, effective and saved group id. Errors: EFAULT."""
    creds = task.credentials
    _store(task, (rgid, creds.gid), (egid, creds.egid), (sgid, creds.sgid))
    return 0


@syscall(man="getgroups(2)")
def sys_getgroups(task: Task, size: Int, list: UserPtr) -> int:
    """Store the supplementary groups and return how many. Errors: EINVAL too small; EFAULT."""
    groups = task.credentials.groups
    if size < 0 or 0 < size < len(groups):
        raise SyscallError(EINVAL)
    if size and groups:
        task.memory.write(list, b"".join(gid.to_bytes(4, "little") for gid in groups))
    return len(groups)


def _store(task: Task, *pairs: tuple[int, int]) -> None:
    for addr, value in pairs:
        task.memory.write_u32(addr, value)
