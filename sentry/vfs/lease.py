"""Leases (fcntl(2), "Leases"): who holds one hears of an open or truncation that conflicts, and holds it up for a while.

Linux: fs/locks.c, __break_lease(), generic_add_lease().
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sentry.sched.wait import TimedOut, wait_until
from syscalls.abi.errno import EAGAIN
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import F_RDLCK, F_UNLCK, F_WRLCK

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import Inode
    from sentry.vfs.lock import FileLocks

#: /proc/sys/fs/lease-break-time
BREAK_TIME_NS: Final = 45_000_000_000


class Lease:
    """``kind`` is F_RDLCK or F_WRLCK, ``target`` what it must become until ``deadline_ns``; None while nobody minds."""

    __slots__ = ("deadline_ns", "file", "kind", "pid", "target", "tell")

    def __init__(self, file: "FileDescription", kind: int, tell: Callable[[], None], pid: int = 0) -> None:
        self.file = file
        self.kind = kind
        self.target: int | None = None
        self.deadline_ns = 0
        self.tell = tell
        self.pid = pid

    def conflicts(self, *, is_write: bool) -> bool:
        """Whether an open for writing (or only for reading) must wait for its holder."""
        return is_write or self.kind == F_WRLCK


def lease_of(locks: "FileLocks | None", file: "FileDescription") -> Lease | None:
    """The lease that ``file`` holds."""
    return next((lease for lease in locks.leases if lease.file is file), None) if locks is not None else None


def set_lease(locks: "FileLocks", file: "FileDescription", kind: int, tell: Callable[[], None], pid: int = 0) -> None:
    """F_RDLCK, F_WRLCK; the caller has checked who has the file open. Errors: EAGAIN others' leases stand in the way."""
    own = lease_of(locks, file)
    others = [lease for lease in locks.leases if lease is not own]
    if any(F_WRLCK in (kind, lease.kind) or lease.target is not None for lease in others):
        raise SyscallError(EAGAIN)
    if own is None:
        locks.leases.append(Lease(file, kind, tell, pid))
        file.lock_owner = file
        return
    if own.target is not None and (own.target == F_UNLCK or kind == F_WRLCK):
        raise SyscallError(EAGAIN)
    own.kind, own.target = kind, None
    locks.queue.wake()


def drop_lease(locks: "FileLocks | None", file: "FileDescription") -> None:
    """F_UNLCK. Errors: EAGAIN there is none."""
    own = lease_of(locks, file)
    if own is None or locks is None:
        raise SyscallError(EAGAIN)
    _remove(locks, own)
    locks.queue.wake()


def _remove(locks: "FileLocks", lease: Lease) -> None:
    """With the lease go the owner and signal of its description (Linux: lease_modify())."""
    locks.leases.remove(lease)
    lease.file.owner = None
    lease.file.owner_signal = 0


async def break_leases(task: "Task", inode: "Inode", *, is_write: bool, nowait: bool) -> None:
    """Tell the holders and wait until they have given way, or their time is over. Errors: EAGAIN with ``nowait``."""
    locks: FileLocks = inode.locks
    runner = task.kernel.runner
    for lease in locks.leases:
        if lease.conflicts(is_write=is_write) and (lease.target is None or (is_write and lease.target != F_UNLCK)):
            lease.target = F_UNLCK if is_write else F_RDLCK
            lease.deadline_ns = runner.monotonic_ns() + BREAK_TIME_NS
            lease.tell()

    def attempt() -> bool | None:
        return None if any(lease.conflicts(is_write=is_write) for lease in locks.leases) else True

    if nowait and attempt() is None:
        raise SyscallError(EAGAIN)
    while attempt() is None:
        deadline = min(lease.deadline_ns for lease in locks.leases if lease.conflicts(is_write=is_write))
        try:
            await wait_until(task.fiber, attempt, [locks.queue], deadline_ns=deadline)
        except TimedOut:
            _force(locks, runner.monotonic_ns())


def _force(locks: "FileLocks", now: int) -> None:
    """The time is over: what had to be given up is."""
    for lease in list(locks.leases):
        if lease.target is not None and lease.deadline_ns <= now:
            if lease.target == F_UNLCK:
                _remove(locks, lease)
            else:
                lease.kind, lease.target = F_RDLCK, None
    locks.queue.wake()
