"""sendfile(2)."""

from sentry.fs.pipe.splice import send_file
from sentry.kernel.task import Task
from sentry.mm.usermem import MAX_RW_COUNT
from syscalls.abi.errno import EINVAL, ESPIPE
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_APPEND
from syscalls.abi.stat import S_IFBLK, S_IFMT, S_IFREG
from syscalls.args import Fd, Size, UserPtr
from syscalls.registry import syscall

_OFFSET_SIGN = 1 << 63


@syscall(man="sendfile(2)")
async def sys_sendfile(task: Task, out_fd: Fd, in_fd: Fd, offset: UserPtr, count: Size) -> int:
    """Copy bytes of a file to another descriptor. Errors: EBADF, EFAULT, EINVAL not such a file, ESPIPE, EAGAIN, EPIPE, ..."""
    position = task.memory.read_u64(offset) if offset else None
    source = task.fds.readable(in_fd)
    if position is not None and position & _OFFSET_SIGN:
        raise SyscallError(EINVAL)
    if position is not None and not source.is_seekable:
        raise SyscallError(ESPIPE)
    out = task.fds.writable(out_fd)
    if out.flags & O_APPEND or count & _OFFSET_SIGN or source.inode.attr.mode & S_IFMT not in (S_IFREG, S_IFBLK):
        raise SyscallError(EINVAL)
    done, position = await send_file(task, out, source, position, min(count, MAX_RW_COUNT))
    if offset:
        task.memory.write_u64(offset, position)
    return done
