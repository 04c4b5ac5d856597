"""lseek(2)."""

from sentry.kernel import io
from sentry.kernel.task import Task
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import EINVAL, ESPIPE
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET
from syscalls.args import Fd, Off, UInt
from syscalls.registry import syscall


@syscall(man="lseek(2)")
def sys_lseek(task: Task, fd: Fd, offset: Off, whence: UInt) -> io.Outcome:
    """Move the offset and return it. Errors: EBADF, EINVAL, ESPIPE, ENXIO (SEEK_DATA, SEEK_HOLE beyond the end)."""
    file = task.fds.get(fd)
    if whence > SEEK_HOLE:
        raise SyscallError(EINVAL)
    if file.is_endless:
        return 0
    if not file.is_seekable:
        raise SyscallError(ESPIPE)
    if whence == SEEK_SET:
        return _move(file, offset)
    if whence == SEEK_CUR:
        return _move(file, file.offset + offset)
    return _seek_by_contents(file, offset, whence)


def _move(file: FileDescription, position: int) -> int:
    if not 0 <= position <= io.OFFSET_MAX:
        raise SyscallError(EINVAL)
    file.offset = position
    return position


async def _seek_by_contents(file: FileDescription, offset: int, whence: int) -> int:
    file.acquire()
    try:
        if whence == SEEK_END:
            return _move(file, await file.size() + offset)
        return _move(file, await file.seek_data(offset, hole=whence != SEEK_DATA))
    finally:
        file.release()
