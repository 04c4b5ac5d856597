"""fallocate(2)."""

from typing import Final

from sentry.kernel.task import Task
from syscalls.abi.errno import EBADF, EFBIG, EINVAL, EISDIR, ENODEV, EOPNOTSUPP, ESPIPE
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import (
    FALLOC_FL_COLLAPSE_RANGE,
    FALLOC_FL_INSERT_RANGE,
    FALLOC_FL_KEEP_SIZE,
    FALLOC_FL_PUNCH_HOLE,
    FALLOC_FL_UNSHARE_RANGE,
    FALLOC_FL_ZERO_RANGE,
)
from syscalls.abi.stat import S_IFDIR, S_IFIFO, S_IFMT, S_IFREG
from syscalls.args import Fd, Int, Off
from syscalls.files.truncate import check_size_limit
from syscalls.registry import Support, syscall

_KNOWN: Final = (
    FALLOC_FL_KEEP_SIZE
    | FALLOC_FL_PUNCH_HOLE
    | FALLOC_FL_COLLAPSE_RANGE
    | FALLOC_FL_ZERO_RANGE
    | FALLOC_FL_INSERT_RANGE
    | FALLOC_FL_UNSHARE_RANGE
)
_SIZE_MAX: Final = (1 << 63) - 1


@syscall(man="fallocate(2)", support=Support.PARTIAL, note="collapse and insert are EOPNOTSUPP, as on tmpfs")
async def sys_fallocate(task: Task, fd: Fd, mode: Int, offset: Off, length: Off) -> int:
    """Reserve, zero or free a range. Errors: EBADF, EINVAL, EFBIG, ENOSPC, EOPNOTSUPP, ENODEV, ESPIPE."""
    file = task.fds.get(fd)
    if offset < 0 or length <= 0:
        raise SyscallError(EINVAL)
    if mode & ~_KNOWN or (mode & FALLOC_FL_PUNCH_HOLE and mode != FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE):
        raise SyscallError(EOPNOTSUPP)
    if not file.is_writable:
        raise SyscallError(EBADF)
    kind = file.inode.attr.mode & S_IFMT
    if kind != S_IFREG:
        raise SyscallError({S_IFIFO: ESPIPE, S_IFDIR: EISDIR}.get(kind, ENODEV))
    if offset + length > _SIZE_MAX:
        raise SyscallError(EFBIG)
    if not mode & FALLOC_FL_KEEP_SIZE and offset + length > file.inode.attr.size:
        check_size_limit(task, offset + length)
    file.acquire()
    try:
        await file.allocate(mode, offset, length)
    finally:
        file.release()
    return 0
