"""System V shared memory segments (shmop(2)). Linux: ipc/shm.c.

Guests unmap without asking the sentry, so attachments are not counted but looked up: ``attached`` holds the processes that may
have the segment mapped, and the host's table of their mappings tells, exactly as Linux counts: by mapping.
"""

from typing import TYPE_CHECKING, Protocol

from sentry.host.mappings import Mapping, mappings_of
from sentry.ipc.permission import IpcPerm
from syscalls.abi.ipc import SHM_DEST, SHM_LOCKED

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentry.host.regular_file import HostFd
    from sentry.ipc.table import IdTable
    from sentry.kernel.thread_group import ThreadGroup


class SegmentMemory(Protocol):
    """Where the bytes are (sentry.fs.shm)."""

    def host_fd(self, *, writable: bool) -> "HostFd":
        """What is mapped, with exactly these rights. Errors: ENOMEM."""

    def identity(self) -> tuple[int, int]:
        """Device and inode number on the host."""

    def resident_pages(self) -> int:
        """How many pages are really there."""

    def free(self) -> None:
        """Give the memory back, whoever still holds a descriptor of it."""


class Segment:
    """``size`` is what was asked for, in bytes; times in seconds. ``now`` is the clock."""

    __slots__ = (
        "_now",
        "_table",
        "atime",
        "attached",
        "ctime",
        "dtime",
        "is_doomed",
        "is_locked",
        "last_pid",
        "maker_pid",
        "memory",
        "perm",
        "pins",
        "size",
    )

    def __init__(
        self,
        table: "IdTable[Segment]",
        perm: IpcPerm,
        memory: SegmentMemory,
        size: int,
        pid: int,
        now: "Callable[[], int]",
    ) -> None:
        self._table = table
        self._now = now
        self.perm = perm
        self.memory = memory
        self.size = size
        self.atime = self.dtime = 0
        self.ctime = now()
        self.maker_pid = pid
        self.last_pid = 0
        self.is_doomed = False
        self.is_locked = False
        self.pins = 0  # attachments under way
        self.attached: set[ThreadGroup] = set()

    @property
    def mode(self) -> int:
        """The permission bits with SHM_DEST and SHM_LOCKED."""
        return self.perm.mode | (SHM_DEST if self.is_doomed else 0) | (SHM_LOCKED if self.is_locked else 0)

    @property
    def pages(self) -> int:
        """Its size in pages."""
        return (self.size + 4095) >> 12

    def fields(self) -> tuple[int, int, int, int, int, int, int]:
        """As ``IPC64_PERM`` packs them."""
        key, uid, gid, cuid, cgid, _, seq = self.perm.fields()
        return key, uid, gid, cuid, cgid, self.mode, seq

    def mappings(self, group: "ThreadGroup") -> list[Mapping]:
        """Where a process has it."""
        return mappings_of(group.host_pid, self.memory.identity())

    def count(self) -> int:
        """The number of attachments; processes that have none any more are forgotten."""
        total = 0
        for group in list(self.attached):
            number = len(self.mappings(group)) if group.is_alive else 0
            if not number:
                self.attached.discard(group)
                group.segments.discard(self)
            total += number
        return total

    def attach(self, group: "ThreadGroup") -> None:
        """The process has it mapped now."""
        self.attached.add(group)
        group.segments.add(self)
        self.atime = self._now()
        self.last_pid = group.tgid

    def detached(self, group: "ThreadGroup") -> None:
        """shmdt(2) has unmapped it at one place."""
        self.dtime = self._now()
        self.last_pid = group.tgid
        self.sweep()

    def left(self, group: "ThreadGroup") -> None:
        """The memory of the process is gone: it has ended or executed."""
        self.attached.discard(group)
        self.detached(group)

    def sweep(self) -> None:
        """Destroy it if it was removed and nobody has it any more."""
        if self.is_doomed and not self.pins and not self.perm.is_removed and not self.count():
            self._table.remove(self)
            self.memory.free()

    def doom(self) -> None:
        """IPC_RMID: the key is free at once, the memory when the last process leaves."""
        self.is_doomed = True
        self._table.forget_key(self)
        self.sweep()
