"""copy_file_range(2)."""

from sentry.kernel import io
from sentry.kernel.task import Task
from sentry.mm.usermem import MAX_RW_COUNT, BytesSink, BytesSource
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import EBADF, EFBIG, EINVAL, EISDIR, EOVERFLOW, EXDEV
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_APPEND
from syscalls.abi.stat import S_IFDIR, S_IFMT, S_IFREG
from syscalls.args import Fd, Size, UInt, UserPtr
from syscalls.registry import syscall

_CHUNK = 1 << 20
_OFFSET_MAX = (1 << 63) - 1


@syscall(man="copy_file_range(2)")
async def sys_copy_file_range(
    task: Task, fd_in: Fd, off_in: UserPtr, fd_out: Fd, off_out: UserPtr, size: Size, flags: UInt
) -> int:
    """Copy between regular files; returns how much. Errors: EBADF, EINVAL (overlap, flags), EISDIR, EFBIG, ENOSPC,
    EOVERFLOW, EXDEV (another file system)."""
    source, target = task.fds.get(fd_in), task.fds.get(fd_out)
    start = task.memory.read_u64(off_in) if off_in else source.offset
    end = task.memory.read_u64(off_out) if off_out else target.offset
    _check(source, target, flags)
    if max(start, end) + size >> 64:
        raise SyscallError(EOVERFLOW)
    if max(start, end) > _OFFSET_MAX:
        raise SyscallError(EINVAL)
    if end == _OFFSET_MAX:
        raise SyscallError(EFBIG)
    count = min(size, MAX_RW_COUNT, _OFFSET_MAX - end)
    source.acquire()
    target.acquire()
    try:
        count = min(count, max(0, await source.size() - start))
        if source.inode is target.inode and start < end + count and end < start + count:
            raise SyscallError(EINVAL)
        done = await _copy(task, source, start, target, end, count)
    finally:
        source.release()
        target.release()
    if off_in:
        task.memory.write_u64(off_in, start + done)
    else:
        source.offset = start + done
    if off_out:
        task.memory.write_u64(off_out, end + done)
    else:
        target.offset = end + done
    return done


def _check(source: FileDescription, target: FileDescription, flags: int) -> None:
    if flags:
        raise SyscallError(EINVAL)
    kinds = (source.inode.attr.mode & S_IFMT, target.inode.attr.mode & S_IFMT)
    if S_IFDIR in kinds:
        raise SyscallError(EISDIR)
    if kinds != (S_IFREG, S_IFREG):
        raise SyscallError(EINVAL)
    if not source.is_readable or not target.is_writable or target.flags & O_APPEND:
        raise SyscallError(EBADF)
    if source.inode.fs is not target.inode.fs:  # programs then read and write; from /proc there would be nothing to copy
        raise SyscallError(EXDEV)


async def _copy(task: Task, source: FileDescription, start: int, target: FileDescription, end: int, count: int) -> int:
    done = 0
    while done < count:
        sink = BytesSink(min(_CHUNK, count - done))
        outcome = io.pread(task, source, sink, start + done)
        read = outcome if isinstance(outcome, int) else await outcome
        if not read:
            break
        try:
            outcome = io.pwrite(task, target, BytesSource(bytes(sink.data)), end + done)
            written = outcome if isinstance(outcome, int) else await outcome
        except SyscallError:
            if done:
                break
            raise
        done += written
        if written < read:
            break
    return done
