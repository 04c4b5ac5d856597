"""readahead(2), posix_fadvise(2): advice about what will be read. The host's own cache decides; nothing is promised."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EBADF, EINVAL, ESPIPE
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import POSIX_FADV_NOREUSE
from syscalls.abi.stat import S_IFIFO, S_IFMT, S_IFREG
from syscalls.args import Fd, Int, Off, Size
from syscalls.registry import Support, syscall


@syscall(man="readahead(2)", support=Support.STUB, note="checked and ignored: contents come from the host's page cache")
def sys_readahead(task: Task, fd: Fd, offset: Off, count: Size) -> int:
    """Errors: EBADF, EINVAL (not a regular file)."""
    file = task.fds.get(fd)
    if not file.is_readable:
        raise SyscallError(EBADF)
    if file.inode.attr.mode & S_IFMT != S_IFREG:
        raise SyscallError(EINVAL)
    return 0


@syscall(man="posix_fadvise(2)", support=Support.STUB, note="checked and ignored, as Linux itself may")
def sys_fadvise64(task: Task, fd: Fd, offset: Off, len: Off, advice: Int) -> int:
    """Errors: EBADF, ESPIPE (pipes), EINVAL (advice, negative length)."""
    file = task.fds.get(fd)
    if file.inode.attr.mode & S_IFMT == S_IFIFO:
        raise SyscallError(ESPIPE)
    if len < 0 or not 0 <= advice <= POSIX_FADV_NOREUSE:
        raise SyscallError(EINVAL)
    return 0
