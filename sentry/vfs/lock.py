"""Advisory locks: flock(2), and the record locks of fcntl(2), POSIX and open-file-description ones.

POSIX locks belong to a descriptor table (a process) and vanish when it closes any descriptor of the file; OFD and flock locks
belong to an open file description. Waiters sleep on the inode's queue; a POSIX waiter that would close a cycle gets EDEADLK.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sentry.sched.wait import wait_until
from sentry.sched.waitqueue import WaitQueue
from syscalls.abi.errno import EAGAIN, EDEADLK, ENOLCK
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import F_UNLCK, F_WRLCK

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import Inode
    from sentry.vfs.lease import Lease

END: Final = (1 << 63) - 1
RECORDS_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class Record:
    """A locked range, ``end`` included. ``pid`` is what F_GETLK tells (-1 for OFD locks)."""

    start: int
    end: int
    kind: int
    owner: Any
    pid: int

    def conflicts(self, other: "Record") -> bool:
        """Whether the two cannot be held at once."""
        return (
            self.owner is not other.owner
            and self.start <= other.end
            and other.start <= self.end
            and F_WRLCK in (self.kind, other.kind)
        )


class FileLocks:
    """All locks of one inode."""

    __slots__ = ("_flocks", "_lockers", "_records", "leases", "queue")

    def __init__(self) -> None:
        self.queue = WaitQueue()
        self._flocks: dict[FileDescription, bool] = {}  # True: exclusive
        self._lockers: dict[FileDescription, int] = {}  # whose pid /proc/locks tells
        self._records: list[Record] = []
        self.leases: list[Lease] = []

    def try_flock(self, file: "FileDescription", *, is_exclusive: bool, pid: int = 0) -> bool:
        """Take or convert; like Linux, a conversion first gives up the old lock."""
        held = self._flocks.get(file)
        if held is is_exclusive:
            return True
        if held is not None:
            del self._flocks[file]
            self.queue.wake()
        if any(other or is_exclusive for other in self._flocks.values()):
            return False
        self._flocks[file] = is_exclusive
        self._lockers[file] = pid
        file.lock_owner = file
        return True

    def unflock(self, file: "FileDescription") -> None:
        """LOCK_UN."""
        if self._flocks.pop(file, None) is not None:
            self._lockers.pop(file, None)
            self.queue.wake()

    def find_conflict(self, wanted: Record) -> Record | None:
        """The first record that stands in the way."""
        for record in self._records:
            if record.conflicts(wanted):
                return record
        return None

    def find_own(self, wanted: Record) -> Record | None:
        """The first record of the same owner in that range."""
        for record in self._records:
            if record.owner is wanted.owner and record.start <= wanted.end and wanted.start <= record.end:
                return record
        return None

    def try_record(self, wanted: Record) -> bool:
        """Set ``wanted`` (F_UNLCK removes): splits and joins the owner's ranges. Errors: ENOLCK beyond the limit."""
        if wanted.kind != F_UNLCK and self.find_conflict(wanted) is not None:
            return False
        if len(self._records) >= RECORDS_MAX:
            raise SyscallError(ENOLCK)
        own: list[Record] = []
        kept: list[Record] = []
        place = -1  # each owner's records stand together, in the order of the owners' first ones: F_GETLK finds the first of all
        start, end = wanted.start, wanted.end
        for record in self._records:
            if record.owner is not wanted.owner:
                kept.append(record)
                continue
            if place < 0:
                place = len(kept)
            if record.kind == wanted.kind and record.start <= end + 1 and start <= record.end + 1:
                start, end = min(start, record.start), max(end, record.end)
            elif record.end < wanted.start or record.start > wanted.end:
                own.append(record)
            else:
                if record.start < wanted.start:
                    own.append(Record(record.start, wanted.start - 1, record.kind, record.owner, record.pid))
                if record.end > wanted.end:
                    own.append(Record(wanted.end + 1, record.end, record.kind, record.owner, record.pid))
        if wanted.kind != F_UNLCK:
            own.append(Record(start, end, wanted.kind, wanted.owner, wanted.pid))
            own.sort(key=lambda record: record.start)
        place = len(kept) if place < 0 else place
        kept[place:place] = own
        self._records = kept
        if self.queue:
            self.queue.wake()
        return True

    def release_file(self, file: "FileDescription") -> None:
        """The description is closed: its flock and OFD locks go, and its lease."""
        if self.leases:
            self.leases = [lease for lease in self.leases if lease.file is not file]
            self.queue.wake()
        self.unflock(file)
        self._drop(file)

    def release_posix(self, table: object) -> None:
        """A descriptor of this file was closed in ``table``: all of the process's record locks go (fcntl(2))."""
        self._drop(table)

    def _drop(self, owner: object) -> None:
        kept = [record for record in self._records if record.owner is not owner]
        if len(kept) != len(self._records):
            self._records = kept
            self.queue.wake()

    def flocks(self) -> list[tuple[bool, int]]:
        """Exclusive or not, and the pid, for /proc/locks."""
        return [(is_exclusive, self._lockers.get(file, 0)) for file, is_exclusive in self._flocks.items()]

    def records(self) -> list[Record]:
        """For /proc/locks."""
        return list(self._records)


def locks_of(inode: "Inode") -> FileLocks:
    """The locks of ``inode``, made on demand."""
    if inode.locks is None:
        inode.locks = FileLocks()
    return inode.locks  # type: ignore[no-any-return]


async def flock(task: "Task", file: "FileDescription", *, is_exclusive: bool, may_wait: bool) -> None:
    """LOCK_SH or LOCK_EX. Errors: EAGAIN (EWOULDBLOCK) without ``may_wait``; Interrupted."""
    locks, pid = locks_of(file.inode), task.group.tgid
    if locks.try_flock(file, is_exclusive=is_exclusive, pid=pid):
        return
    if not may_wait:
        raise SyscallError(EAGAIN)
    file.acquire()
    try:
        await wait_until(task.fiber, lambda: locks.try_flock(file, is_exclusive=is_exclusive, pid=pid) or None, [locks.queue])
    finally:
        file.release()


async def wait_record(task: "Task", file: "FileDescription", wanted: Record) -> None:
    """F_SETLKW, F_OFD_SETLKW. Errors: EDEADLK (POSIX only), Interrupted."""
    locks = locks_of(file.inode)
    waits = task.kernel.mounts.lock_waits
    is_posix = wanted.owner is not file

    def attempt() -> bool | None:
        if locks.try_record(wanted):
            return True
        if is_posix:
            blocker = locks.find_conflict(wanted)
            assert blocker is not None
            _check_cycle(waits, wanted.owner, blocker.owner)
            waits[wanted.owner] = blocker.owner
        return None

    file.acquire()
    try:
        await wait_until(task.fiber, attempt, [locks.queue])
    finally:
        waits.pop(wanted.owner, None)
        file.release()


def _check_cycle(waits: dict[Any, Any], owner: object, blocker: object) -> None:
    """Who waits for whom (Linux: fs/locks.c, posix_locks_deadlock())."""
    for _ in range(len(waits) + 1):
        if blocker is owner:
            raise SyscallError(EDEADLK)
        if blocker not in waits:
            return
        blocker = waits[blocker]
