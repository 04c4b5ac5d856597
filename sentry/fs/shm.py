"""The memory of System V segments: files without a name, as memfds are (shmop(2)). /proc/PID/maps shows them as /SYSVkkkkkkkk."""

from typing import TYPE_CHECKING

from sentry.fs.memfd import MemFile, MemInode, memory_fs
from sentry.host import regular_file
from sentry.vfs.context import OpenContext
from syscalls.abi.fcntl import O_RDWR

if TYPE_CHECKING:
    from sentry.host.regular_file import HostFd
    from sentry.kernel.task import Task

_PAGE_SHIFT = 12


class SegmentFile(MemFile):
    """Never in a descriptor table: only what mappings show."""

    __slots__ = ()

    def describe(self) -> bytes:
        """The text in /proc/PID/maps."""
        return b"/" + self.node.name + b" (deleted)"


class SegmentStorage:
    """See ``sentry.ipc.shared_memory.SegmentMemory``; all of it is charged at once, since stores to it never trap."""

    __slots__ = ("file",)

    def __init__(self, task: "Task", key: int, size: int, mode: int) -> None:
        """Errors: ENOMEM, ENOSPC."""
        creds = task.credentials
        node = MemInode(memory_fs(task), b"SYSV%08x" % (key & 0xFFFFFFFF), mode & 0o777, creds.euid, creds.egid, 0)
        pages = (size + (1 << _PAGE_SHIFT) - 1) >> _PAGE_SHIFT
        node.storage.truncate(pages << _PAGE_SHIFT)
        node.storage.host_fd(writable=True)
        node.sync_size()
        self.file = SegmentFile(node, OpenContext(None, O_RDWR, task))  # type: ignore[arg-type]

    def host_fd(self, *, writable: bool) -> "HostFd":
        """See ``SegmentMemory``."""
        return self.file.node.storage.host_fd(writable=writable)

    def identity(self) -> tuple[int, int]:
        """See ``SegmentMemory``."""
        return regular_file.identity(self.host_fd(writable=True))

    def resident_pages(self) -> int:
        """See ``SegmentMemory``."""
        return regular_file.allocated(self.host_fd(writable=True)) >> _PAGE_SHIFT

    def free(self) -> None:
        """See ``SegmentMemory``: a truncated file has no pages, whatever descriptor of it is left anywhere."""
        self.file.node.storage.truncate(0)
