"""fcntl(2), F_SETLEASE and F_GETLEASE."""

from sentry.kernel.sigio import Owner, tell_message
from sentry.kernel.task import Task
from sentry.vfs.file import FileDescription
from sentry.vfs.lease import drop_lease, lease_of, set_lease
from sentry.vfs.lock import locks_of
from syscalls.abi.capability import CAP_LEASE
from syscalls.abi.errno import EACCES, EAGAIN, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import F_OWNER_PID, F_RDLCK, F_UNLCK, F_WRLCK
from syscalls.abi.stat import S_IFMT, S_IFREG


def get_lease(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    """What kind this description holds; while it is being broken, what it must become."""
    lease = lease_of(file.inode.locks, file)
    if lease is None:
        return F_UNLCK
    return lease.kind if lease.target is None else lease.target


def set_lease_command(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    """Take, change or give up a lease. Errors: EACCES not the owner's file, EAGAIN, EINVAL."""
    inode = file.inode
    kind = arg & 0xFFFFFFFF
    if kind not in (F_RDLCK, F_WRLCK, F_UNLCK):
        raise SyscallError(EINVAL)
    creds = task.credentials
    if inode.attr.uid != creds.fsuid and not creds.has(CAP_LEASE):
        raise SyscallError(EACCES)
    if inode.attr.mode & S_IFMT != S_IFREG:
        raise SyscallError(EINVAL)
    if kind == F_UNLCK:
        drop_lease(inode.locks, file)
        return 0
    if (kind == F_RDLCK and inode.writers) or (kind == F_WRLCK and _is_open_elsewhere(task, file)):
        raise SyscallError(EAGAIN)
    if file.owner is None:
        file.owner = Owner(F_OWNER_PID, task.group.tgid, creds.uid, creds.euid)
    kernel = task.kernel
    set_lease(locks_of(inode), file, kind, lambda: tell_message(kernel, file, fd), task.group.tgid)
    return 0


def _is_open_elsewhere(task: Task, file: FileDescription) -> bool:
    """Whether another description of the file is in any table."""
    for other in task.kernel.tasks.tasks.values():
        for number in other.fds.numbers():
            found = other.fds.find(number)
            if found is not None and found is not file and found.inode is file.inode:
                return True
    return False
