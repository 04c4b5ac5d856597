"""rename(2), renameat(2), renameat2(2)."""

from sentry.kernel.task import Task
from sentry.vfs.namespace import rename_at
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_FDCWD, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT
from syscalls.args import Fd, PathPtr, UInt
from syscalls.registry import Support, syscall


@syscall(man="rename(2)")
async def sys_rename(task: Task, oldpath: PathPtr, newpath: PathPtr) -> int:
    """Give a file another name. Errors: EXDEV, EINVAL (into itself), ENOTEMPTY, EISDIR, ENOTDIR, EBUSY, EROFS."""
    return await _rename(task, AT_FDCWD, oldpath, AT_FDCWD, newpath, 0)


@syscall(man="rename(2)")
async def sys_renameat(task: Task, olddirfd: Fd, oldpath: PathPtr, newdirfd: Fd, newpath: PathPtr) -> int:
    """Like rename between two directories."""
    return await _rename(task, olddirfd, oldpath, newdirfd, newpath, 0)


@syscall(man="rename(2)", support=Support.PARTIAL, note="RENAME_WHITEOUT on a volume is EINVAL")
async def sys_renameat2(task: Task, olddirfd: Fd, oldpath: PathPtr, newdirfd: Fd, newpath: PathPtr, flags: UInt) -> int:
    """Like renameat, with RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT. Errors: EINVAL for what makes no sense."""
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT):
        raise SyscallError(EINVAL)
    if flags & RENAME_EXCHANGE and flags != RENAME_EXCHANGE:
        raise SyscallError(EINVAL)
    return await _rename(task, olddirfd, oldpath, newdirfd, newpath, flags)


async def _rename(task: Task, olddirfd: int, oldpath: int, newdirfd: int, newpath: int, flags: int) -> int:
    old, new = task.memory.read_path(oldpath), task.memory.read_path(newpath)
    await rename_at(task, olddirfd, old, newdirfd, new, flags)
    return 0
