"""splice(2), tee(2), vmsplice(2)."""

from typing import Annotated

from sentry.fs.pipe import splice
from sentry.fs.pipe.file import PipeFile
from sentry.kernel import io
from sentry.kernel.task import Task
from sentry.mm.usermem import MAX_RW_COUNT
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import EBADF, EINVAL, ESPIPE
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_APPEND, SPLICE_F_GIFT, SPLICE_F_MORE, SPLICE_F_MOVE, SPLICE_F_NONBLOCK
from syscalls.args import Fd, Flags, Size, UserPtr
from syscalls.registry import Support, syscall

_FLAGS = Flags("SPLICE_F", SPLICE_F_NONBLOCK, ignored=SPLICE_F_MOVE | SPLICE_F_MORE | SPLICE_F_GIFT)
_NOTE = "pages are copied, never moved or shared"


@syscall(man="splice(2)", support=Support.PARTIAL, note=_NOTE)
async def sys_splice(
    task: Task, fd_in: Fd, off_in: UserPtr, fd_out: Fd, off_out: UserPtr, size: Size, flags: Annotated[int, _FLAGS]
) -> int:
    """Move bytes between two descriptors, one of which is a pipe. Errors: EBADF, EINVAL, ESPIPE, EAGAIN, EPIPE."""
    if not size:
        return 0
    source, out = task.fds.get(fd_in), task.fds.get(fd_out)
    count, nowait = min(size, MAX_RW_COUNT), bool(flags & SPLICE_F_NONBLOCK)
    if (off_in and isinstance(source, PipeFile)) or (off_out and isinstance(out, PipeFile)):
        raise SyscallError(ESPIPE)
    if not source.is_readable or not out.is_writable:
        raise SyscallError(EBADF)
    if isinstance(source, PipeFile):
        if isinstance(out, PipeFile) and out.pipe is source.pipe:
            raise SyscallError(EINVAL)
        if out.flags & O_APPEND or not out.can_splice_to:
            raise SyscallError(EINVAL)
        offset = _read_offset(task, out, off_out)
        done = await splice.splice_out(task, source, out, offset, count, nowait=nowait)
        if offset is not None:
            task.memory.write_u64(off_out, offset + done)
        return done
    if not isinstance(out, PipeFile) or not source.can_splice_from:
        raise SyscallError(EINVAL)
    offset = _read_offset(task, source, off_in)
    done = await splice.splice_in(task, source, out, offset, count, nowait=nowait)
    if offset is not None:
        task.memory.write_u64(off_in, offset + done)
    return done


@syscall(man="tee(2)", support=Support.PARTIAL, note=_NOTE)
async def sys_tee(task: Task, fd_in: Fd, fd_out: Fd, size: Size, flags: Annotated[int, _FLAGS]) -> int:
    """Copy bytes from one pipe to another without consuming them. Errors: EBADF, EINVAL, EAGAIN, EPIPE."""
    if not size:
        return 0
    source, out = task.fds.readable(fd_in), task.fds.writable(fd_out)
    if not isinstance(source, PipeFile) or not isinstance(out, PipeFile) or source.pipe is out.pipe:
        raise SyscallError(EINVAL)
    return await splice.tee(task, source, out, min(size, MAX_RW_COUNT), nowait=bool(flags & SPLICE_F_NONBLOCK))


@syscall(man="vmsplice(2)", support=Support.PARTIAL, note=_NOTE)
def sys_vmsplice(task: Task, fd: Fd, iov: UserPtr, nr_segs: Size, flags: Annotated[int, _FLAGS]) -> io.Outcome:
    """Copy memory into a pipe, or out of it. Errors: EBADF not a pipe, EINVAL, EFAULT, EAGAIN, EPIPE."""
    file = task.fds.get(fd)
    if not isinstance(file, PipeFile):
        raise SyscallError(EBADF)
    nowait = bool(flags & SPLICE_F_NONBLOCK)
    if file.is_writable:
        return io.write(task, file, task.memory.source_iovec(iov, nr_segs), nowait=nowait)
    return io.read(task, file, task.memory.sink_iovec(iov, nr_segs), nowait=nowait)


def _read_offset(task: Task, file: FileDescription, addr: int) -> int | None:
    if not addr:
        return None
    if not file.is_seekable:
        raise SyscallError(EINVAL)
    offset = task.memory.read_u64(addr)
    if offset >> 63:
        raise SyscallError(EINVAL)
    return offset
