"""The only way from the sentry to a guest's memory."""

from struct import Struct
from typing import TYPE_CHECKING

from sentry.host import regular_file
from syscalls.abi.errno import EINVAL, ENAMETOOLONG
from syscalls.abi.errors import Fault, SyscallError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentry.platform.interface import GuestMemory, HostFd

_U32 = Struct("<I")
_U64 = Struct("<Q")
_IOVEC = Struct("<QQ")
PATH_MAX = 4096
IOV_MAX = 1024
MAX_RW_COUNT = 0x7FFFF000
ADDRESS_MAX = 0x7FFFFFFFF000


class UserMemory:
    """Guest memory with Linux's idioms over a platform's ``GuestMemory``. All methods raise ``Fault`` (EFAULT)."""

    __slots__ = ("guest", "read", "write")

    def __init__(self, guest: "GuestMemory") -> None:
        self.guest = guest
        self.read = guest.read
        self.write = guest.write

    def read_path(self, addr: int) -> bytes:
        """Return a path without its NUL. Errors: EFAULT, ENAMETOOLONG."""
        path = self.guest.read_string(addr, PATH_MAX)
        if path is None:
            raise SyscallError(ENAMETOOLONG)
        return path

    def read_u32(self, addr: int) -> int:
        """Return an unsigned 32-bit word."""
        return int.from_bytes(self.read(addr, 4), "little")

    def read_i32(self, addr: int) -> int:
        """Return a signed 32-bit word."""
        return int.from_bytes(self.read(addr, 4), "little", signed=True)

    def read_u64(self, addr: int) -> int:
        """Return an unsigned 64-bit word."""
        return int.from_bytes(self.read(addr, 8), "little")

    def write_u32(self, addr: int, value: int) -> None:
        """Store a 32-bit word."""
        self.write(addr, _U32.pack(value & 0xFFFFFFFF))

    def write_u64(self, addr: int, value: int) -> None:
        """Store a 64-bit word."""
        self.write(addr, _U64.pack(value & 0xFFFFFFFFFFFFFFFF))

    def read_struct(self, layout: Struct, addr: int) -> tuple[int, ...]:
        """Return the unpacked fields of ``layout``."""
        return layout.unpack(self.read(addr, layout.size))

    def sink(self, addr: int, length: int) -> "BufferSink":
        """Destination of a read into one buffer."""
        return BufferSink(self.guest, addr, length if length <= MAX_RW_COUNT else MAX_RW_COUNT)

    def source(self, addr: int, length: int) -> "BufferSource":
        """Origin of a write from one buffer."""
        return BufferSource(self.guest, addr, length if length <= MAX_RW_COUNT else MAX_RW_COUNT)

    def read_iovec(self, addr: int, count: int) -> list[tuple[int, int]]:
        """Return the checked segments of a struct iovec array. Errors: EINVAL, EFAULT."""
        if count > IOV_MAX:
            raise SyscallError(EINVAL)
        total = 0
        segments = []
        for base, length in _IOVEC.iter_unpack(self.read(addr, count * 16)) if count else ():
            if length >> 63:
                raise SyscallError(EINVAL)
            usable = min(length, MAX_RW_COUNT - total)
            total += usable
            segments.append((base, usable))
        return segments

    def sink_iovec(self, addr: int, count: int) -> "UserSink":
        """Destination of readv(2)."""
        return UserSink(self.guest, self.read_iovec(addr, count))

    def source_iovec(self, addr: int, count: int) -> "UserSource":
        """Origin of writev(2)."""
        return UserSource(self.guest, self.read_iovec(addr, count))


class BufferSink:
    """One buffer of guest memory as a read's destination: the common case, kept short."""

    __slots__ = ("_addr", "_guest", "remaining")

    def __init__(self, guest: "GuestMemory", addr: int, length: int) -> None:
        self._guest = guest
        self._addr = addr
        self.remaining = length

    def put(self, data: bytes | bytearray | memoryview) -> int:
        """Store as much of ``data`` as fits and the guest's memory takes."""
        room = self.remaining
        if len(data) > room:
            data = memoryview(data)[:room]
        count = self._guest.write_partial(self._addr, data)
        if not count and len(data):
            raise Fault
        self._addr += count
        self.remaining = room - count
        return count

    def put_from_host(self, fd: int, offset: int, length: int) -> int:
        """Move bytes of a host file straight into guest memory."""
        room = self.remaining
        if not room:
            return 0
        count = self._guest.fill_from_host(self._addr, length if length < room else room, fd, offset)  # type: ignore[arg-type]
        self._addr += count
        self.remaining = room - count
        return count


class BufferSource:
    """One buffer of guest memory as a write's origin."""

    __slots__ = ("_addr", "_guest", "remaining")

    def __init__(self, guest: "GuestMemory", addr: int, length: int) -> None:
        self._guest = guest
        self._addr = addr
        self.remaining = length

    def take(self, length: int) -> bytes:
        """Return up to ``length`` bytes, fewer where memory ends."""
        rest = self.remaining
        length = min(length, rest)
        data = self._guest.read_partial(self._addr, length) if length else b""
        count = len(data)
        if not count and length:
            raise Fault
        self._addr += count
        self.remaining = rest - count
        return data

    def peek(self, length: int) -> bytes:
        """``take`` without advancing."""
        length = min(length, self.remaining)
        data = self._guest.read_partial(self._addr, length) if length else b""
        if not data and length:
            raise Fault
        return data

    def take_to_host(self, fd: int, offset: int, length: int) -> int:
        """Move guest memory straight into a host file."""
        rest = self.remaining
        if not rest:
            return 0
        count = self._guest.drain_to_host(self._addr, length if length < rest else rest, fd, offset)  # type: ignore[arg-type]
        self._addr += count
        self.remaining = rest - count
        return count


class _Span:
    """Segments of guest memory with a position."""

    __slots__ = ("_guest", "_index", "_segments", "remaining")

    def __init__(self, guest: "GuestMemory", segments: list[tuple[int, int]]) -> None:
        self._guest = guest
        self._segments = segments
        self._index = 0
        self.remaining = sum(length for _, length in segments)

    def _advance(self, count: int) -> None:
        self.remaining -= count
        segments = self._segments
        while count:
            addr, length = segments[self._index]
            if count < length:
                segments[self._index] = (addr + count, length - count)
                return
            count -= length
            segments[self._index] = (addr + length, 0)
            self._index += 1

    def _current(self) -> tuple[int, int]:
        while not self._segments[self._index][1]:
            self._index += 1
        return self._segments[self._index]

    def _move(self, move: "Callable[[int, int, HostFd, int], int]", fd: int, offset: int, length: int) -> int:
        """Let the platform move bytes between the segments and a host file; return how many went. Raises Fault for the first."""
        done = 0
        length = min(length, self.remaining)
        while done < length:
            addr, room = self._current()
            wanted = min(room, length - done)
            try:
                count = move(addr, wanted, fd, offset + done)  # type: ignore[arg-type]
            except Fault:
                if done:
                    break
                raise
            self._advance(count)
            done += count
            if count < wanted:
                break
        return done


class UserSink(_Span):
    """A read's destination in guest memory (``sentry.vfs.io.Sink``)."""

    __slots__ = ()

    def put(self, data: bytes | bytearray | memoryview) -> int:
        """Store as much of ``data`` as fits and the guest's memory takes."""
        done = 0
        view = memoryview(data)[: self.remaining]
        while done < len(view):
            addr, length = self._current()
            chunk = view[done : done + length]
            count = self._guest.write_partial(addr, chunk)
            if count:
                self._advance(count)
            done += count
            if count < len(chunk):
                if not done:
                    raise Fault
                break
        return done

    def put_from_host(self, fd: int, offset: int, length: int) -> int:
        """Move bytes of a host file straight into guest memory."""
        return self._move(self._guest.fill_from_host, fd, offset, length)


class UserSource(_Span):
    """A write's origin in guest memory (``sentry.vfs.io.Source``)."""

    __slots__ = ()

    def take(self, length: int) -> bytes:
        """Return up to ``length`` bytes, fewer where memory ends."""
        parts = []
        wanted = min(length, self.remaining)
        while wanted:
            addr, room = self._current()
            chunk = self._guest.read_partial(addr, min(room, wanted))
            if chunk:
                self._advance(len(chunk))
                parts.append(chunk)
            if len(chunk) < min(room, wanted):
                if not parts:
                    raise Fault
                break
            wanted -= len(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def peek(self, length: int) -> bytes:
        """``take`` without advancing."""
        saved = list(self._segments), self._index, self.remaining
        try:
            return self.take(length)
        finally:
            self._segments, self._index, self.remaining = saved

    def take_to_host(self, fd: int, offset: int, length: int) -> int:
        """Move guest memory straight into a host file."""
        return self._move(self._guest.drain_to_host, fd, offset, length)


class BytesSink:
    """A read's destination in the sentry's own memory."""

    __slots__ = ("data", "remaining")

    def __init__(self, length: int) -> None:
        self.remaining = length
        self.data = bytearray()

    def put(self, data: bytes | bytearray | memoryview) -> int:
        """Append up to ``remaining`` bytes."""
        view = memoryview(data)[: self.remaining]
        self.data += view
        self.remaining -= len(view)
        return len(view)

    def put_from_host(self, fd: int, offset: int, length: int) -> int:
        """Append up to ``length`` bytes of a host file."""
        return self.put(regular_file.pread(regular_file.HostFd(fd), min(length, self.remaining), offset))


class BytesSource:
    """A write's origin in the sentry's own memory."""

    __slots__ = ("_data", "remaining")

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self.remaining = len(data)

    def peek(self, length: int) -> bytes:
        """``take`` without advancing."""
        return bytes(self._data[:length])

    def take(self, length: int) -> bytes:
        """Return up to ``length`` bytes and advance."""
        part = bytes(self._data[:length])
        self._data = self._data[length:]
        self.remaining -= len(part)
        return part

    def take_to_host(self, fd: int, offset: int, length: int) -> int:
        """Write up to ``length`` bytes to a host file."""
        count = regular_file.pwrite(regular_file.HostFd(fd), self._data[:length], offset)
        self._data = self._data[count:]
        self.remaining -= count
        return count
