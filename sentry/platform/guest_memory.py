"""Guest memory through process_vm_readv and process_vm_writev (kernel-facts.md 9): what the guest may touch, no more."""

from typing import Any

from sentry.platform._core.core import Core
from sentry.platform.interface import GuestAddr, GuestMemory, HostFd
from syscalls.abi.errors import Fault, SyscallError

#: One transfer; longer ones are split.
BUFFER_SIZE = 1 << 20


class Buffers:
    """The copy buffer that all guest memories of a platform share: a transfer never outlives a call."""

    __slots__ = ("bytes", "core", "data", "ffi", "host_errno")

    def __init__(self, core: Core, ffi: Any) -> None:
        self.core = core
        self.ffi = ffi
        self.data = ffi.new("char[]", BUFFER_SIZE)
        self.bytes = ffi.buffer(self.data, BUFFER_SIZE)
        self.host_errno = ffi.new("int *")


class HostGuestMemory(GuestMemory):
    """The memory of the thread ``tid`` (which changes when a thread executes)."""

    __slots__ = ("_buffers", "tid")

    def __init__(self, buffers: Buffers, tid: int) -> None:
        self._buffers = buffers
        self.tid = tid

    def read(self, addr: GuestAddr, length: int) -> bytes:
        """See ``GuestMemory``."""
        if length > BUFFER_SIZE:
            return self._read_long(addr, length)
        buffers = self._buffers
        if buffers.core.guest_read(self.tid, addr, buffers.data, length) != length:
            raise Fault
        return buffers.bytes[:length]  # type: ignore[no-any-return]

    def _read_long(self, addr: GuestAddr, length: int) -> bytes:
        data = self.read_partial(addr, length)
        if len(data) != length:
            raise Fault
        return data

    def read_partial(self, addr: GuestAddr, length: int) -> bytes:
        """See ``GuestMemory``."""
        buffers = self._buffers
        parts = []
        while length > 0:
            wanted = min(length, BUFFER_SIZE)
            count = buffers.core.guest_read(self.tid, addr, buffers.data, wanted)
            if count <= 0:
                break
            parts.append(buffers.bytes[:count])
            if count < wanted:
                break
            addr += count
            length -= count
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_string(self, addr: GuestAddr, limit: int) -> bytes | None:
        """See ``GuestMemory``."""
        buffers = self._buffers
        length = buffers.core.guest_read_string(self.tid, addr, buffers.data, min(limit, BUFFER_SIZE))
        if length >= 0:
            return buffers.bytes[:length]  # type: ignore[no-any-return]
        if length == -14:
            raise Fault
        return None

    def write(self, addr: GuestAddr, data: bytes | bytearray | memoryview) -> None:
        """See ``GuestMemory``."""
        if self.write_partial(addr, data) != len(data):
            raise Fault

    def write_partial(self, addr: GuestAddr, data: bytes | bytearray | memoryview) -> int:
        """See ``GuestMemory``."""
        buffers = self._buffers
        if type(data) is not bytes:
            data = buffers.ffi.from_buffer(data)
        count = buffers.core.guest_write(self.tid, addr, data, len(data))
        return count if count > 0 else 0

    def fill_from_host(self, addr: GuestAddr, length: int, fd: HostFd, offset: int) -> int:
        """See ``GuestMemory``."""
        buffers = self._buffers
        return self._moved(buffers.core.guest_fill(self.tid, addr, length, fd, offset, buffers.host_errno))

    def drain_to_host(self, addr: GuestAddr, length: int, fd: HostFd, offset: int) -> int:
        """See ``GuestMemory``."""
        buffers = self._buffers
        return self._moved(buffers.core.guest_drain(self.tid, addr, length, fd, offset, buffers.host_errno))

    def _moved(self, count: int) -> int:
        if count >= 0:
            return count
        if self._buffers.host_errno[0]:
            raise SyscallError(self._buffers.host_errno[0])
        raise Fault
