"""Where the contents of a file in memory are: a bytearray while small, a host file once large or mapped.

Descriptors are scarce, so their number is bounded: beyond ``fds_max`` contents stay in bytearrays whatever their size. Memory is
charged to the file system's own limit and to the sandbox's, by pages that are really there.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sentry.host import regular_file as host
from syscalls.abi.errno import EFBIG, ENOMEM, ENOSPC, ENXIO
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.limits import SandboxLimits
    from sentry.vfs.io import Sink, Source

SMALL_MAX: Final = 64 << 10
FDS_MAX: Final = 1024
FILE_MAX: Final = (1 << 63) - 1
_PAGE: Final = 4096
_CHUNK: Final = 1 << 20


class StoragePool:
    """Makes host files for contents and keeps the accounts of one file system.

    ``new_file`` returns an empty host file (a memfd, or an unlinked file in the caller's directory).
    """

    def __init__(
        self,
        new_file: Callable[[], host.HostFd] | None = None,
        *,
        bytes_max: int | None = None,
        limits: "SandboxLimits | None" = None,
        fds_max: int = FDS_MAX,
    ) -> None:
        self._new_file = new_file if new_file is not None else lambda: host.memfd("tmpfs")
        self.bytes_max = bytes_max
        self.bytes_used = 0
        self.limits = limits
        self.fds_max = fds_max
        self.fds_used = 0

    def new_file(self) -> host.HostFd | None:
        """A host file, or None if there are too many."""
        limits = self.limits
        if self.fds_used >= self.fds_max or (limits is not None and limits.host_files_used >= limits.host_files_max):
            return None
        try:
            fd = self._new_file()
        except SyscallError:
            return None
        self.count_fd(1)
        return fd

    def count_fd(self, change: int) -> None:
        """A descriptor more or less."""
        self.fds_used += change
        if self.limits is not None:
            self.limits.host_files_used += change

    def charge(self, count: int) -> None:
        """Account ``count`` bytes (negative: give back). Errors: ENOSPC."""
        if count > 0:
            if self.bytes_max is not None and self.bytes_used + count > self.bytes_max:
                raise SyscallError(ENOSPC)
            if self.limits is not None:
                try:
                    self.limits.charge(count)
                except SyscallError as error:
                    raise SyscallError(ENOSPC) from error
        elif self.limits is not None:
            self.limits.uncharge(-count)
        self.bytes_used += count

    def room(self) -> int:
        """How many bytes could still be charged."""
        rooms = [FILE_MAX]
        if self.bytes_max is not None:
            rooms.append(self.bytes_max - self.bytes_used)
        limits = self.limits
        if limits is not None:
            limit = limits.bytes_max if limits.memory_max is None else min(limits.bytes_max, limits.memory_max)
            rooms.append(limit - limits.bytes_used)
        return max(0, min(rooms))


class Storage:
    """The contents of one file. Freed when nothing refers to it any more."""

    __slots__ = ("_charged", "_data", "_fd", "_pool", "_readonly_fd", "size")

    def __init__(self, pool: StoragePool) -> None:
        self._pool = pool
        self._data: bytearray | None = bytearray()
        self._fd: host.HostFd | None = None
        self._readonly_fd: host.HostFd | None = None
        self._charged = 0
        self.size = 0

    def __del__(self) -> None:
        self._pool.charge(-self._charged)
        for fd in (self._fd, self._readonly_fd):
            if fd is not None:
                self._pool.count_fd(-1)
                host.close(fd)

    @property
    def backing(self) -> host.HostFd | None:
        """The host file, if there is one."""
        return self._fd

    @property
    def blocks(self) -> int:
        """st_blocks."""
        return self._charged >> 9

    def read(self, sink: "Sink", offset: int) -> int:
        """Move bytes to ``sink``; 0 at the end."""
        length = min(sink.remaining, self.size - offset)
        if length <= 0:
            return 0
        if self._fd is not None:
            return sink.put_from_host(self._fd, offset, length)
        assert self._data is not None
        return sink.put(self._data[offset : offset + length])

    def write(self, source: "Source", offset: int) -> int:
        """Take all that ``source`` has, or what there is room for. Errors: ENOSPC, EFBIG."""
        length = source.remaining
        if not length:
            return 0
        if offset + length > FILE_MAX:
            if offset >= FILE_MAX:
                raise SyscallError(EFBIG)
            length = FILE_MAX - offset
        if self._data is not None and (offset + length <= SMALL_MAX or not self._to_host()):
            return self._write_small(source, offset, length)
        return self._write_host(source, offset, length)

    def truncate(self, size: int) -> None:
        """Cut or grow with zeros. Errors: ENOSPC, EFBIG."""
        if size > FILE_MAX:
            raise SyscallError(EFBIG)
        if self._data is not None and size > SMALL_MAX and size > self.size:
            self._to_host()
        data = self._data
        if data is not None:
            self._charge_to(_pages(size))
            if size < self.size:
                del data[size:]
            else:
                data.extend(bytes(size - self.size))
        else:
            assert self._fd is not None
            host.truncate(self._fd, size)
            self._recount()
        self.size = size

    def allocate(self, offset: int, length: int) -> None:
        """Reserve a range without changing what is there; the file does not grow. Errors: ENOSPC."""
        end = offset + length
        if self._data is not None and end > SMALL_MAX:
            self._to_host()
        if self._fd is None:
            return
        try:
            if self._reserve(offset, length) < length:
                raise SyscallError(ENOSPC)
            host.allocate(self._fd, offset, length)
        finally:
            self._recount()

    def grow(self, size: int) -> None:
        """``truncate`` that never cuts."""
        if size > self.size:
            self.truncate(size)

    def punch(self, offset: int, length: int) -> None:
        """Zero a range and free its memory; the size stays."""
        if offset >= self.size:
            return
        if self._data is not None:
            end = min(offset + length, self.size)
            self._data[offset:end] = bytes(end - offset)
        else:
            assert self._fd is not None
            host.punch(self._fd, offset, length)
            self._recount()

    def seek(self, offset: int, *, hole: bool) -> int:
        """SEEK_DATA, SEEK_HOLE. Errors: ENXIO."""
        if not 0 <= offset < self.size:
            raise SyscallError(ENXIO)
        if self._fd is not None:
            return min(host.seek_data(self._fd, offset, hole=hole), self.size)
        return self.size if hole else offset

    def host_fd(self, *, writable: bool) -> host.HostFd:
        """The host file for a mapping: read-only unless the guest itself may write. Errors: ENOMEM, ENOSPC."""
        if self._fd is None and not self._to_host():
            raise SyscallError(ENOMEM)
        assert self._fd is not None
        if writable:
            # Stores to holes never trap: all of the file is charged beforehand.
            self._charge_to(max(self._charged, _pages(self.size)))
            return self._fd
        if self._readonly_fd is None:
            self._readonly_fd = host.reopen_read_only(self._fd)
            self._pool.count_fd(1)
        return self._readonly_fd

    def fill_from_host(self, source: int, length: int) -> None:
        """Become a copy of the first ``length`` bytes of a host file. Errors: ENOSPC, EIO."""
        if length <= SMALL_MAX:
            data = bytearray()
            while len(data) < length:
                part = host.pread(host.HostFd(source), length - len(data), len(data))
                if not part:
                    break
                data += part
            self.fill(data)
            return
        if not self._to_host():
            raise SyscallError(ENOMEM)
        assert self._fd is not None
        self._pool.charge(_pages(length))
        self._charged += _pages(length)
        self.size = host.copy(source, self._fd, length)
        self._recount()

    def fill(self, data: bytes | bytearray) -> None:
        """Append ``data``. Errors: ENOSPC."""
        end = self.size + len(data)
        if self._data is not None and (end <= SMALL_MAX or not self._to_host()):
            self._charge_to(_pages(end))
            self._data += data
        else:
            assert self._fd is not None
            self._reserve(self.size, len(data))
            host.pwrite_all(self._fd, data, self.size)
            self._recount()
        self.size = end

    def sync(self) -> None:
        """fsync(2) where there is a disk."""
        if self._fd is not None:
            host.sync(self._fd)

    def _write_small(self, source: "Source", offset: int, length: int) -> int:
        data = self._data
        assert data is not None
        room = self._pool.room() + self._charged
        end = offset + length
        if _pages(end) > room:
            if offset >= room & ~(_PAGE - 1):
                raise SyscallError(ENOSPC)
            length = (room & ~(_PAGE - 1)) - offset
        chunk = source.take(length)
        end = offset + len(chunk)
        if end > self.size:
            self._charge_to(max(self._charged, _pages(end)))
            if offset > self.size:
                data.extend(bytes(offset - self.size))
            self.size = end
        data[offset:end] = chunk
        return len(chunk)

    def _write_host(self, source: "Source", offset: int, length: int) -> int:
        assert self._fd is not None
        length = self._reserve(offset, length)
        try:
            count = source.take_to_host(self._fd, offset, length)
        finally:
            self._recount()
        self.size = max(self.size, offset + count)
        return count

    def _reserve(self, offset: int, length: int) -> int:
        """Charge the pages of a range that may be new; returns how much of it has room. Errors: ENOSPC."""
        assert self._fd is not None
        wanted = _pages(offset + length) - (offset & ~(_PAGE - 1))
        room = self._pool.room()
        if wanted > room and offset < self.size:
            # What is there already needs no room.
            try:
                hole = host.seek_data(self._fd, offset, hole=True)
            except SyscallError:
                hole = offset
            present = min(hole, offset + length)
            if present > offset:
                rest = offset + length - _pages(present)
                if rest <= 0:
                    return length
                allowed = min(_pages(rest), room & ~(_PAGE - 1))
                self._pool.charge(allowed)
                self._charged += allowed
                return min(length, _pages(present) + allowed - offset)
        if wanted > room:
            usable = (room & ~(_PAGE - 1)) - (offset & (_PAGE - 1))
            if usable <= 0:
                raise SyscallError(ENOSPC)
            length, wanted = usable, room & ~(_PAGE - 1)
        self._pool.charge(wanted)
        self._charged += wanted
        return length

    def _recount(self) -> None:
        """The account follows what the host file really occupies."""
        assert self._fd is not None
        real = host.allocated(self._fd)
        change = real - self._charged
        if change < 0 or self._pool.room() >= change:
            self._pool.charge(change)
            self._charged = real

    def _charge_to(self, count: int) -> None:
        self._pool.charge(count - self._charged)
        self._charged = count

    def _to_host(self) -> bool:
        """Move to a host file; False if there are too many."""
        data = self._data
        if data is None:
            return True
        fd = self._pool.new_file()
        if fd is None:
            return False
        if data:
            host.pwrite_all(fd, data, 0)
        self._data = None
        self._fd = fd
        self._recount()
        return True


def _pages(length: int) -> int:
    return (length + _PAGE - 1) & ~(_PAGE - 1)
