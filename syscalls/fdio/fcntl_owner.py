"""Who gets the signals of a description: F_SETOWN and its kin (fcntl(2)), FIOSETOWN and SIOCSPGRP (socket(7))."""

from collections.abc import Callable
from struct import Struct
from typing import Final

from sentry.kernel.sigio import Owner
from sentry.kernel.task import Task
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import EINVAL, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import F_OWNER_EX, F_OWNER_PGRP, F_OWNER_PID
from syscalls.abi.ioctl import FIOGETOWN, FIOSETOWN, SIOCGPGRP, SIOCSPGRP

_INT_MIN: Final = -(1 << 31)
_UIDS: Final = Struct("<II")


def getown(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    """F_GETOWN: a process's number, or a group's, negative."""
    kind, pid = _owner(file)
    return -pid if kind == F_OWNER_PGRP else pid


def setown(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    """F_SETOWN. Errors: ESRCH, EINVAL."""
    arg &= 0xFFFFFFFF
    return _set_signed(task, file, arg - (arg >> 31 << 32))


def getown_ex(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    """F_GETOWN_EX. Errors: EFAULT."""
    task.memory.write(arg, F_OWNER_EX.pack(*_owner(file)))
    return 0


def setown_ex(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    """F_SETOWN_EX. Errors: EFAULT, EINVAL, ESRCH."""
    kind, pid = task.memory.read_struct(F_OWNER_EX, arg)
    if not 0 <= kind <= F_OWNER_PGRP:
        raise SyscallError(EINVAL)
    _set_owner(task, file, kind, pid)
    return 0


def getowner_uids(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    """F_GETOWNER_UIDS: real and effective user of who named the owner (0 if nobody did). Errors: EFAULT."""
    owner = file.owner
    task.memory.write(arg, _UIDS.pack(owner.uid, owner.euid) if isinstance(owner, Owner) else bytes(_UIDS.size))
    return 0


def _ioctl_set(task: Task, file: FileDescription, argp: int) -> int:
    return _set_signed(task, file, task.memory.read_i32(argp))


def _ioctl_get(task: Task, file: FileDescription, argp: int) -> int:
    task.memory.write_u32(argp, getown(task, file, -1, 0) & 0xFFFFFFFF)
    return 0


#: ioctl(2) of sockets
SOCKET_REQUESTS: Final[dict[int, Callable[[Task, FileDescription, int], int]]] = {
    FIOSETOWN: _ioctl_set,
    SIOCSPGRP: _ioctl_set,
    FIOGETOWN: _ioctl_get,
    SIOCGPGRP: _ioctl_get,
}


def _set_signed(task: Task, file: FileDescription, pid: int) -> int:
    if pid == _INT_MIN:
        raise SyscallError(EINVAL)
    _set_owner(task, file, F_OWNER_PGRP if pid < 0 else F_OWNER_PID, abs(pid))
    return 0


def _set_owner(task: Task, file: FileDescription, kind: int, number: int) -> None:
    """Errors: ESRCH nobody has that number; 0 means no owner."""
    tables = task.kernel.tasks
    found = tables.find_process_group(number) if kind == F_OWNER_PGRP else tables.find_task(number)
    if number and found is None:
        raise SyscallError(ESRCH)
    file.owner = Owner(kind, number, task.credentials.uid, task.credentials.euid) if number else None


def _owner(file: FileDescription) -> tuple[int, int]:
    owner = file.owner
    return (owner.kind, owner.number) if isinstance(owner, Owner) else (0, 0)
