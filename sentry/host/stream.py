"""A host descriptor that was handed to the sandbox: standard input and output, a caller's terminal.

The descriptor is shared with the caller, so O_NONBLOCK is never set on it: every transfer is preceded by poll(2) and, for
pipes and terminals, no larger than what a ready pipe takes without blocking (PIPE_BUF).
"""

import os
import select
import stat
import termios
from fcntl import ioctl

from syscalls.abi.errno import EIO
from syscalls.abi.errors import SyscallError

PIPE_BUF = 4096
_READ_MAX = 1 << 16


class HostStream:
    """Non-blocking reads and writes on a blocking descriptor. Owns ``fd``."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        mode = os.fstat(fd).st_mode
        self.is_regular = stat.S_ISREG(mode)
        self.is_always_ready = self.is_regular or (stat.S_ISCHR(mode) and not os.isatty(fd))
        self.kind = stat.S_IFMT(mode)
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN | select.POLLOUT | select.POLLRDHUP)

    @property
    def is_terminal(self) -> bool:
        """Whether the host says that it is a terminal."""
        return os.isatty(self.fd)

    def readiness(self) -> int:
        """poll(2) bits that hold now."""
        if self.is_always_ready:
            return int(select.POLLIN | select.POLLOUT)
        ready = self._poll.poll(0)
        return ready[0][1] if ready else 0

    def try_read(self, length: int) -> bytes | None:
        """Return up to ``length`` bytes, b"" at the end, None if nothing is there. Errors: EIO."""
        if not self.is_always_ready and not self.readiness() & (select.POLLIN | select.POLLHUP | select.POLLERR):
            return None
        try:
            return os.read(self.fd, min(length, _READ_MAX))
        except OSError as error:
            raise SyscallError(error.errno or EIO) from error

    def try_write(self, data: bytes | memoryview) -> int | None:
        """Write a first part of ``data``; None if the other side takes nothing now. Errors: EPIPE, ENOSPC, EIO."""
        if not self.is_always_ready:
            ready = self.readiness()
            if not ready & (select.POLLOUT | select.POLLERR | select.POLLHUP):
                return None
            data = data[:PIPE_BUF]
        try:
            return os.write(self.fd, data)
        except OSError as error:
            raise SyscallError(error.errno or EIO) from error

    def window_size(self) -> tuple[int, int]:
        """Rows and columns of a host terminal, or (0, 0)."""
        try:
            raw = ioctl(self.fd, termios.TIOCGWINSZ, b"\0" * 8)
        except OSError:
            return 0, 0
        return int.from_bytes(raw[0:2], "little"), int.from_bytes(raw[2:4], "little")

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)
