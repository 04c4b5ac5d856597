"""flock(2)."""

from sentry.kernel.io import Outcome
from sentry.kernel.task import Task
from sentry.vfs.lock import flock, locks_of
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import LOCK_EX, LOCK_MAND, LOCK_NB, LOCK_SH, LOCK_UN
from syscalls.args import Fd, UInt
from syscalls.registry import syscall


@syscall(man="flock(2)")
def sys_flock(task: Task, fd: Fd, op: UInt) -> Outcome:
    """Lock or unlock a whole open file. Errors: EBADF, EINVAL, EAGAIN (LOCK_NB), EINTR."""
    if op & LOCK_MAND:
        return 0  # never worked as promised; Linux takes and ignores it
    kind = op & ~LOCK_NB
    if kind not in (LOCK_SH, LOCK_EX, LOCK_UN):
        raise SyscallError(EINVAL)
    file = task.fds.get(fd)
    if kind == LOCK_UN:
        if file.inode.locks is not None:
            locks_of(file.inode).unflock(file)
        return 0
    return _lock(task, fd, is_exclusive=kind == LOCK_EX, may_wait=not op & LOCK_NB)


async def _lock(task: Task, fd: int, *, is_exclusive: bool, may_wait: bool) -> int:
    await flock(task, task.fds.get(fd), is_exclusive=is_exclusive, may_wait=may_wait)
    return 0
