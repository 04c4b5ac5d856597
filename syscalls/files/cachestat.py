"""cachestat(2)."""

from struct import Struct
from typing import Final

from sentry.kernel.task import Task
from syscalls.abi.errno import EBADF, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFMT, S_IFREG
from syscalls.args import Fd, UInt, UserPtr
from syscalls.registry import Support, syscall

_RANGE: Final = Struct("<QQ")
#: struct cachestat: nr_cache nr_dirty nr_writeback nr_evicted nr_recently_evicted
_CACHESTAT: Final = Struct("<5Q")
_PAGE_SHIFT: Final = 12


@syscall(man="cachestat(2)", support=Support.PARTIAL, note="all pages count as cached and clean: the cache is the host's")
async def sys_cachestat(task: Task, fd: Fd, cstat_range: UserPtr, cstat: UserPtr, flags: UInt) -> int:
    """Tell about the page cache of a file. Errors: EBADF, EFAULT, EINVAL."""
    file = task.fds.get(fd)
    offset, length = task.memory.read_struct(_RANGE, cstat_range)
    if flags:
        raise SyscallError(EINVAL)
    attr = await file.inode.getattr()
    if attr.mode & S_IFMT != S_IFREG:
        raise SyscallError(EBADF)
    end = min(offset + length if length else attr.size, attr.size)
    pages = max(0, (end + (1 << _PAGE_SHIFT) - 1 >> _PAGE_SHIFT) - (offset >> _PAGE_SHIFT))
    task.memory.write(cstat, _CACHESTAT.pack(pages, 0, 0, 0, 0))
    return 0
