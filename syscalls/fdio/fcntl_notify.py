"""fcntl(2), F_NOTIFY."""

from sentry.kernel.dnotify import DirectoryNotice, end_notice, notice_of
from sentry.kernel.sigio import Owner, tell_message
from sentry.kernel.task import Task
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import ENOTDIR
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import DN_MULTISHOT, F_OWNER_PID
from syscalls.abi.stat import S_IFDIR, S_IFMT


def notify(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    """Signal the caller about changes in a folder; no events end that. Errors: ENOTDIR."""
    inode, mask = file.inode, arg & 0xFFFFFFFF
    if not mask & ~DN_MULTISHOT:
        end_notice(inode, task.fds, file)
        return 0
    if inode.attr.mode & S_IFMT != S_IFDIR:
        raise SyscallError(ENOTDIR)
    creds, kernel = task.credentials, task.kernel
    file.owner = Owner(F_OWNER_PID, task.group.tgid, creds.uid, creds.euid)
    notice = notice_of(inode, task.fds, file)
    if notice is None:
        notice = DirectoryNotice(task.fds, file, inode, lambda: tell_message(kernel, file, fd))
    notice.add(mask)
    return 0
