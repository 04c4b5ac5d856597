"""close(2), close_range(2).

A number may have a copy in the host's table, made for a mapping (kernel-facts.md 10). Closing lets the host close that copy too,
where the very same call touches nothing but copies.
"""

from typing import Annotated

from sentry.kernel import closing
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE
from syscalls.args import PROCEED, Fd, Flags, Result, UInt
from syscalls.registry import syscall


@syscall(man="close(2)")
def sys_close(task: Task, fd: Fd) -> Result:
    """Forget the number; the last one of a description closes it. Errors: EBADF."""
    fds = task.fds
    fds.close(fd)
    if not fds.drop_host_copy(fd):
        return 0
    closing.note(task, fd)
    return PROCEED


@syscall(man="close_range(2)")
def sys_close_range(
    task: Task, first: UInt, last: UInt, flags: Annotated[int, Flags("CLOSE_RANGE", CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)]
) -> Result:
    """Close, or mark close-on-exec, all numbers from ``first`` to ``last``. Errors: EINVAL.

    Beyond the guest's limit lie the descriptors of the platform, so the host runs only ranges that end below it. Else the
    copies stay behind as stale ones: nothing maps them again, and exec closes them, which is what nearly every caller does next.
    """
    if first > last:
        raise SyscallError(EINVAL)
    fds = task.fds
    if flags & CLOSE_RANGE_UNSHARE and fds.references > 1:
        fds.references -= 1
        shared, fds = fds, fds.copy()
        task.fds = fds
        # The host's table is still shared: neither side may trust its copies.
        shared.forget_host_copies()
        fds.forget_host_copies()
    numbers = [fd for fd in fds.numbers() if first <= fd <= last]
    if flags & CLOSE_RANGE_CLOEXEC:
        for fd in numbers:
            fds.set_cloexec(fd, value=True)
        return 0
    has_copies = False
    for fd in numbers:
        fds.close(fd)
        if last < fds.limit:
            if fds.drop_host_copy(fd):
                has_copies = True
                closing.note(task, fd)
        else:
            fds.forget_host_copy(fd)
    return PROCEED if has_copies and not flags else 0
