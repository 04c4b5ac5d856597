"""An open file description: what descriptors refer to. Objects never sleep (rule ``try-register-retry``).

``try_*`` methods return None when they would have to wait; the caller then sleeps on ``queue`` and tries again. ``offset``
belongs to the I/O layer (``sentry.kernel.io``), which passes it in and moves it for seekable files.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sentry.sched.waitqueue import WaitQueue
from sentry.vfs.io import Sink, Source
from sentry.vfs.readiness import READABLE, WRITABLE
from sentry.vfs.watch import happened, is_watched
from syscalls.abi.errno import EINVAL, ENODEV, ENOTDIR, ENOTTY, EPERM, ESPIPE
from syscalls.abi.errors import SyscallError
from syscalls.abi.inotify import IN_CLOSE_NOWRITE, IN_CLOSE_WRITE

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.context import Path
    from sentry.vfs.inode import Inode

O_ACCMODE, O_WRONLY, O_RDWR, O_APPEND, O_NONBLOCK, O_PATH = 3, 1, 2, 0o2000, 0o4000, 0o10000000


class FileDescription:
    """Base of every open file. ``flags`` are the open(2) status flags (access mode, O_APPEND, O_NONBLOCK, ...).

    ``path`` is where it was opened (None for anonymous objects, whose ``name`` /proc/PID/fd shows, e.g. ``pipe:[7]``).
    Reference counting is by ``acquire``/``release``: the last release calls ``close``.
    """

    __slots__ = (
        "__weakref__",
        "flags",
        "inode",
        "is_counted_writer",
        "is_created",
        "lock_owner",
        "offset",
        "on_release",
        "opened_by",
        "owner",
        "owner_signal",
        "path",
        "position_lock",
        "queue",
        "references",
        "stop_async",
    )

    #: lseek and positional I/O work; the I/O layer keeps ``offset``
    is_seekable = False
    #: lseek(2) answers 0 whatever it is asked (/dev/null, eventfd(2) and their kin)
    is_endless = False
    #: splice(2) and sendfile(2) may take from it, and give to it
    can_splice_from = can_splice_to = True
    #: reads and writes must be awaited (``read_remote``, ``write_remote``)
    is_remote = False
    #: a blocking write goes on until all is taken (pipes, stream sockets, terminals)
    is_stream = False
    #: EPIPE comes with SIGPIPE
    has_sigpipe = True
    #: a terminal: the I/O layer awaits ``before_read``/``before_write`` (SIGTTIN, SIGTTOU) first
    has_job_control = False
    #: what is read depends on who reads (signalfd): ``read_as`` instead of ``try_read``
    is_caller_bound = False
    #: O_ASYNC has a meaning: pipes, sockets, terminals
    has_async = False
    #: SO_RCVTIMEO and SO_SNDTIMEO
    read_timeout_ns: int | None = None
    write_timeout_ns: int | None = None

    def __init__(self, inode: "Inode", flags: int, path: "Path | None" = None) -> None:
        self.inode = inode
        self.flags = flags
        self.path = path
        self.offset = 0
        self.queue = WaitQueue()
        self.references = 0
        self.opened_by: tuple[object, object] | None = None  # the credentials and process of open(2); None: not opened by name
        self.owner: object | None = None  # F_SETOWN
        self.owner_signal = 0  # F_SETSIG
        self.stop_async: Callable[[], None] | None = None  # ends what O_ASYNC has begun (sentry.kernel.sigio)
        self.lock_owner: object | None = None  # set to the file itself once it holds flock or OFD locks
        self.is_created = False  # by the open(2) that it comes from
        self.is_counted_writer = False  # counted in ``inode.writers``
        self.on_release: list[Callable[[], None]] | None = None  # epoll forgets a file with its last reference
        self.position_lock: object | None = None  # sentry.kernel.io, made on demand

    @property
    def is_readable(self) -> bool:
        """Whether the access mode allows read(2)."""
        return self.flags & O_ACCMODE != O_WRONLY and not self.flags & O_PATH

    @property
    def is_writable(self) -> bool:
        """Whether the access mode allows write(2)."""
        return bool(self.flags & O_ACCMODE) and not self.flags & O_PATH

    def acquire(self) -> "FileDescription":
        """Count one more reference (a descriptor, a message in flight, a mapping)."""
        self.references += 1
        return self

    def release(self) -> None:
        """Drop one reference; the last one closes."""
        self.references -= 1
        if self.references == 0:
            if self.on_release is not None:
                for forget in list(self.on_release):
                    forget()
            path = self.path
            if path is not None and is_watched(path.dentry) and not self.flags & O_PATH:
                happened(path.dentry, IN_CLOSE_WRITE if self.flags & O_ACCMODE else IN_CLOSE_NOWRITE)
            if self.is_counted_writer:
                self.inode.writers -= 1
            if self.lock_owner is not None:
                self.inode.locks.release_file(self)
            self.close()

    def close(self) -> None:
        """The last reference is gone: free host descriptors, wake peers."""

    def try_read(self, sink: Sink, offset: int) -> int | None:
        """Move up to ``sink.remaining`` bytes; 0 is end of file, None would block. Errors: EINVAL, EISDIR, EIO."""
        raise SyscallError(EINVAL)

    def try_write(self, source: Source, offset: int) -> int | None:
        """Move up to ``source.remaining`` bytes; None would block. ``offset`` -1 means append. Errors: EPIPE, ENOSPC, EFBIG."""
        raise SyscallError(EINVAL)

    async def read_remote(self, sink: Sink, offset: int) -> int:
        """``try_read`` for ``is_remote`` files."""
        raise SyscallError(EINVAL)

    async def write_remote(self, source: Source, offset: int) -> int:
        """``try_write`` for ``is_remote`` files."""
        raise SyscallError(EINVAL)

    async def read_as(self, task: "Task", sink: Sink) -> int | None:
        """``try_read`` for ``is_caller_bound`` files."""
        raise SyscallError(EINVAL)

    def before_read(self, task: "Task") -> None:
        """``has_job_control``: raise Interrupted after SIGTTIN, or EIO. Called before each attempt."""

    def before_write(self, task: "Task") -> None:
        """``has_job_control``: raise Interrupted after SIGTTOU, or EIO. Called before each attempt."""

    def readiness(self) -> int:
        """Return the POLL* bits that hold now. Regular files are always ready."""
        return READABLE | WRITABLE

    async def size(self) -> int:
        """The size for SEEK_END and O_APPEND."""
        return (await self.inode.getattr()).size

    async def seek_data(self, offset: int, *, hole: bool) -> int:
        """SEEK_DATA and SEEK_HOLE; without knowledge all is data up to the end. Errors: ENXIO."""
        raise SyscallError(ESPIPE)

    async def read_entries(self) -> "list[Entry]":
        """All entries of a directory, `.` and `..` first, in a stable order; the I/O layer keeps the position."""
        raise SyscallError(ENOTDIR)

    async def fsync(self, *, data_only: bool) -> None:
        """Make the contents durable. Errors: EINVAL for objects without storage."""
        raise SyscallError(EINVAL)

    async def truncate(self, size: int) -> None:
        """ftruncate(2)."""
        raise SyscallError(EINVAL)

    async def allocate(self, mode: int, offset: int, length: int) -> None:
        """fallocate(2)."""
        raise SyscallError(ENODEV)

    async def mapping_fd(self, *, writable: bool, shared: bool) -> int:
        """The host descriptor that backs a mapping, opened with no more than the guest's rights; the file keeps it.

        Errors: ENODEV if the object cannot be mapped, EACCES.
        """
        raise SyscallError(ENODEV)

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """ioctl(2); guest memory through ``task.memory``. Errors: ENOTTY."""
        raise SyscallError(ENOTTY)

    def add_seals(self, seals: int) -> None:
        """fcntl(F_ADD_SEALS). Errors: EINVAL not a memfd, EPERM (not open for writing), EBUSY."""
        raise SyscallError(EINVAL if self.is_writable else EPERM)

    def seals(self) -> int:
        """fcntl(F_GET_SEALS). Errors: EINVAL not a memfd."""
        raise SyscallError(EINVAL)

    def status_flags_changed(self) -> None:
        """fcntl(F_SETFL) has changed ``flags``."""

    def describe(self) -> bytes:
        """The text of /proc/PID/fd/N when there is no path: ``pipe:[123]``, ``anon_inode:[eventfd]``."""
        return b"anon_inode:[unknown]"

    def fdinfo(self) -> bytes:
        """Extra lines of /proc/PID/fdinfo/N."""
        return b""


class Entry:
    """One directory entry: name, inode number, DT_ type and, where the file system has it at hand, the inode."""

    __slots__ = ("ino", "inode", "name", "type")

    def __init__(self, name: bytes, ino: int, type: int, inode: "Inode | None" = None) -> None:
        self.name = name
        self.ino = ino
        self.type = type
        self.inode = inode
