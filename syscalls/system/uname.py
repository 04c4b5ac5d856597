"""uname(2), sethostname(2), setdomainname(2): the names of this system."""

from sentry.kernel.task import Task
from syscalls.abi.capability import CAP_SYS_ADMIN
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.utsname import HOST_NAME_MAX, UTSNAME
from syscalls.args import Int, UserPtr
from syscalls.registry import syscall


@syscall(man="uname(2)")
def sys_uname(task: Task, buf: UserPtr) -> int:
    """Store the names. Errors: EFAULT."""
    uts = task.namespaces.uts
    names = (uts.sysname, uts.nodename, uts.release, uts.version, uts.machine, uts.domainname)
    task.memory.write(buf, UTSNAME.pack(*names))
    return 0


@syscall(man="sethostname(2)")
def sys_sethostname(task: Task, name: UserPtr, len: Int) -> int:
    """Set the host name. Errors: EPERM, EINVAL, EFAULT."""
    task.namespaces.uts.nodename = _read_name(task, name, len)
    return 0


@syscall(man="setdomainname(2)")
def sys_setdomainname(task: Task, name: UserPtr, len: Int) -> int:
    """Set the NIS domain name. Errors: EPERM, EINVAL, EFAULT."""
    task.namespaces.uts.domainname = _read_name(task, name, len)
    return 0


def _read_name(task: Task, addr: int, length: int) -> bytes:
    if not task.credentials.has(CAP_SYS_ADMIN):
        raise SyscallError(EPERM)
    if not 0 <= length <= HOST_NAME_MAX:
        raise SyscallError(EINVAL)
    return task.memory.read(addr, length).split(b"\0", 1)[0] if length else b""
