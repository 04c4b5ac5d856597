"""The descriptor table of a task (shared by CLONE_FILES)."""

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from sentry.kernel.dnotify import end_notice
from sentry.vfs.file import O_PATH, FileDescription
from syscalls.abi.errno import EBADF, EINVAL, EMFILE, ESPIPE
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.sched.wait import Latch


class FdTable:
    """Numbers to open file descriptions. Lowest free number first, as POSIX demands.

    ``limit`` is RLIMIT_NOFILE's soft value, kept by the kernel. ``host_copies`` are the numbers that also exist in the guest's
    host table because a mapping needed them (kernel-facts.md 10); ``stale_copies`` are those whose number means another file
    now (dup2), so that no mapping may use them. ``lending`` is held while a descriptor of the sentry's is in the host's table.
    ``closing`` are the copies that the host is told to close: number, thread, its call (``sentry.kernel.closing``).
    """

    __slots__ = (
        "_cloexec",
        "_files",
        "_free",
        "_next",
        "closing",
        "host_copies",
        "lending",
        "limit",
        "references",
        "stale_copies",
    )

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._files: dict[int, FileDescription] = {}
        self._cloexec: set[int] = set()
        self._free: list[int] = []
        self._next = 0
        self.host_copies: set[int] = set()
        self.stale_copies: set[int] = set()
        self.references = 1
        self.lending: Latch | None = None
        self.closing: list[tuple[int, Task, tuple[int, ...]]] = []

    def __len__(self) -> int:
        return len(self._files)

    def get(self, fd: int) -> FileDescription:
        """Return the description. Errors: EBADF, also for an O_PATH descriptor."""
        file = self._files.get(fd)
        if file is None or file.flags & O_PATH:
            raise SyscallError(EBADF)
        return file

    def get_any(self, fd: int) -> FileDescription:
        """Like ``get`` but O_PATH descriptors are welcome (fstat, dup, *at folders)."""
        file = self._files.get(fd)
        if file is None:
            raise SyscallError(EBADF)
        return file

    def readable(self, fd: int) -> FileDescription:
        """A description open for reading. Errors: EBADF."""
        file = self._files.get(fd)
        if file is None or not file.is_readable:
            raise SyscallError(EBADF)
        return file

    def writable(self, fd: int) -> FileDescription:
        """A description open for writing. Errors: EBADF."""
        file = self._files.get(fd)
        if file is None or not file.is_writable:
            raise SyscallError(EBADF)
        return file

    def readable_at(self, fd: int) -> FileDescription:
        """``readable`` for pread(2), which asks first whether there are positions. Errors: EBADF, ESPIPE."""
        file = self.get(fd)
        if not file.is_seekable:
            raise SyscallError(ESPIPE)
        return self.readable(fd)

    def writable_at(self, fd: int) -> FileDescription:
        """``writable`` for pwrite(2). Errors: EBADF, ESPIPE."""
        file = self.get(fd)
        if not file.is_seekable:
            raise SyscallError(ESPIPE)
        return self.writable(fd)

    def install(self, file: FileDescription, *, cloexec: bool = False, minimum: int = 0) -> int:
        """Put ``file`` at the lowest free number ≥ ``minimum``; takes a reference. Errors: EMFILE."""
        fd = self._lowest(minimum)
        if fd >= self.limit:
            if not minimum:
                heappush(self._free, fd)
            raise SyscallError(EMFILE)
        self._put(fd, file, cloexec)
        return fd

    def check_room(self) -> None:
        """Errors: EMFILE when ``install`` would fail."""
        if len(self._files) < self.limit:
            return
        fd = self._lowest(0)
        heappush(self._free, fd)
        if fd >= self.limit:
            raise SyscallError(EMFILE)

    def replace(self, fd: int, file: FileDescription, *, cloexec: bool = False) -> None:
        """dup2(2): put ``file`` at ``fd``, closing what was there. Errors: EBADF beyond the limit."""
        if not 0 <= fd < self.limit:
            raise SyscallError(EBADF)
        old = self._files.get(fd)
        self._put(fd, file, cloexec)
        if old is not None:
            self._let_go(old)

    def close(self, fd: int) -> None:
        """Forget the number and drop its reference. Errors: EBADF."""
        file = self._files.pop(fd, None)
        if file is None:
            raise SyscallError(EBADF)
        self._cloexec.discard(fd)
        heappush(self._free, fd)
        self._let_go(file)

    def _let_go(self, file: FileDescription) -> None:
        """One number less: this table's record locks on the file end, and its F_NOTIFY (Linux: fs/open.c, filp_flush())."""
        inode = file.inode
        if inode.locks is not None:
            inode.locks.release_posix(self)
        if inode.watches:
            end_notice(inode, self, file)
        file.release()

    def is_cloexec(self, fd: int) -> bool:
        """FD_CLOEXEC of a number."""
        return fd in self._cloexec

    def set_cloexec(self, fd: int, *, value: bool) -> None:
        """Set FD_CLOEXEC. Errors: EBADF."""
        self.get_any(fd)
        if value:
            self._cloexec.add(fd)
        else:
            self._cloexec.discard(fd)

    def numbers(self) -> list[int]:
        """All open numbers in order."""
        return sorted(self._files)

    def find(self, fd: int) -> FileDescription | None:
        """The description or None."""
        return self._files.get(fd)

    def copy(self) -> "FdTable":
        """fork(2), unshare(CLONE_FILES): the same descriptions under the same numbers.

        Which copies the host's new table has depends on the moment when the host made it, which nobody knows: the new table
        trusts none. What there is of them is replaced by the next mapping of that number, or goes with exec.
        """
        table = FdTable(self.limit)
        table._files = dict(self._files)
        table._cloexec = set(self._cloexec)
        table._free = list(self._free)
        table._next = self._next
        for file in self._files.values():
            file.references += 1
        return table

    def close_on_exec(self) -> None:
        """execve(2): close what is marked, and every host copy is gone too."""
        for fd in sorted(self._cloexec):
            self.close(fd)
        self.host_copies.clear()
        self.stale_copies.clear()

    def close_all(self) -> None:
        """The last task that used the table is gone."""
        for fd in self.numbers():
            self.close(fd)

    def drop_host_copy(self, fd: int) -> bool:
        """Whether the host's table has a copy at ``fd``, which the caller now has closed there."""
        if fd not in self.host_copies and fd not in self.stale_copies:
            return False
        # A stale copy that a mapping has replaced since is in both sets: there is one descriptor.
        self.host_copies.discard(fd)
        self.stale_copies.discard(fd)
        return True

    def forget_host_copy(self, fd: int) -> None:
        """The copy at ``fd`` stays in the host's table but is not what the number means any more."""
        if fd in self.host_copies:
            self.host_copies.remove(fd)
            self.stale_copies.add(fd)

    def forget_host_copies(self) -> None:
        """``forget_host_copy`` for all numbers."""
        self.stale_copies |= self.host_copies
        self.host_copies.clear()

    def check_number(self, fd: int) -> None:
        """Errors: EINVAL for F_DUPFD beyond the limit."""
        if not 0 <= fd < self.limit:
            raise SyscallError(EINVAL)

    def _put(self, fd: int, file: FileDescription, cloexec: bool) -> None:
        file.references += 1
        self._files[fd] = file
        if cloexec:
            self._cloexec.add(fd)
        else:
            self._cloexec.discard(fd)

    def _lowest(self, minimum: int) -> int:
        files = self._files
        if minimum:
            fd = minimum
            while fd in files:
                fd += 1
            return fd
        free = self._free
        while free and free[0] < self._next:
            fd = heappop(free)
            if fd not in files:
                return fd
        free.clear()  # what is left lies beyond ``_next``, where all numbers are tried in turn
        fd = self._next
        while fd in files:
            fd += 1
        self._next = fd + 1
        return fd
