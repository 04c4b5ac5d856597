"""System V shared memory segments (shmop(2)). Linux: ipc/shm.c.

Guests unmap without asking the sentry, so the number of attachments is not counted but looked up: ``attached`` holds the
processes that may have the segment mapped, and the host's table of their mappings tells.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sentry.ipc.permission import IpcPerm
from syscalls.abi.ipc import SHM_DEST, SHM_LOCKED

if TYPE_CHECKING:
    from sentry.kernel.creds import Credentials
    from sentry.kernel.thread_group import ThreadGroup
    from sentry.vfs.file import FileDescription


class Segment:
    """``file`` is what is mapped; ``size`` what was asked for, in bytes; times in seconds."""

    __slots__ = ("atime", "attached", "ctime", "dtime", "file", "is_doomed", "is_locked", "last_pid", "maker_pid", "perm", "size")

    def __init__(self, perm: IpcPerm, file: "FileDescription", size: int, pid: int, now: int) -> None:
        self.perm = perm
        self.file = file
        self.size = size
        self.atime = self.dtime = 0
        self.ctime = now
        self.maker_pid = pid
        self.last_pid = 0
        self.is_doomed = False
        self.is_locked = False
        self.attached: set[ThreadGroup] = set()

    @property
    def mode(self) -> int:
        """The permission bits with SHM_DEST and SHM_LOCKED."""
        return self.perm.mode | (SHM_DEST if self.is_doomed else 0) | (SHM_LOCKED if self.is_locked else 0)

    def fields(self) -> tuple[int, int, int, int, int, int, int]:
        """As ``IPC64_PERM`` packs them."""
        key, uid, gid, cuid, cgid, _, seq = self.perm.fields()
        return key, uid, gid, cuid, cgid, self.mode, seq

    def count(self, mappings_of: "Callable[[ThreadGroup, Segment], int]") -> int:
        """The number of attachments; processes that have none any more are forgotten."""
        total = 0
        for group in list(self.attached):
            number = mappings_of(group, self)
            if not number:
                self.attached.discard(group)
            total += number
        return total


def new_segment(creds: "Credentials", key: int, mode: int, file: "FileDescription", size: int, pid: int, now: int) -> Segment:
    """A segment that nobody has attached yet."""
    return Segment(IpcPerm(key, mode, creds), file, size, pid, now)
