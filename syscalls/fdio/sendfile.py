"""sendfile(2)."""

from sentry.fs.pipe.file import PipeFile
from sentry.fs.pipe.splice import send_file, splice_in
from sentry.kernel.task import Task
from sentry.mm.usermem import MAX_RW_COUNT
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import EINVAL, ESPIPE
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_APPEND
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
    if isinstance(out, PipeFile) and not source.is_seekable:  # Linux: fs/read_write.c, do_sendfile() splices to a pipe
        return await _to_pipe(task, source, out, count)
    if out.flags & O_APPEND or count & _OFFSET_SIGN or not (source.is_seekable or source.is_endless):
        raise SyscallError(EINVAL)
    if not count:
        return 0
    if not source.is_seekable or not source.can_splice_from or not out.can_splice_to:
        raise SyscallError(EINVAL)
    done, position = await send_file(task, out, source, position, min(count, MAX_RW_COUNT))
    if offset:
        task.memory.write_u64(offset, position)
    return done


async def _to_pipe(task: Task, source: FileDescription, out: PipeFile, count: int) -> int:
    if not count:
        return 0
    if isinstance(source, PipeFile) or not source.can_splice_from:
        raise SyscallError(EINVAL)
    return await splice_in(task, source, out, None, min(count, MAX_RW_COUNT), nowait=False)
