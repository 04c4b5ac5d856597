"""The host kernel's own terminal, to compare with: a pseudo-terminal whose reads wait for what is expected, not for time."""

import fcntl
import os
import pty
import select
import struct
import termios
from time import monotonic

from sentry.fs.tty.termios import Termios
from syscalls.abi import ioctl
from syscalls.abi.termios import TERMIOS

PATIENCE = 2.0
SILENCE_MS = 2


class HostPty:
    """``master`` and ``slave`` descriptors, both non-blocking."""

    def __init__(self, modes: Termios | None = None, patience: float = PATIENCE) -> None:
        self.patience = patience
        self.master, self.slave = pty.openpty()
        os.set_blocking(self.master, False)
        os.set_blocking(self.slave, False)
        if modes is not None:
            self.set_modes(modes)

    def close(self) -> None:
        os.close(self.slave)
        os.close(self.master)

    def modes(self) -> Termios:
        return Termios().unpack(fcntl.ioctl(self.slave, ioctl.TCGETS, bytes(TERMIOS.size)))

    def set_modes(self, modes: Termios) -> None:
        fcntl.ioctl(self.slave, ioctl.TCSETS, modes.pack())

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def write(self, data: bytes) -> None:
        os.write(self.slave, data)

    def flow(self, action: int) -> None:
        termios.tcflow(self.slave, action)

    def available(self, expected: int) -> int:
        """FIONREAD, once it is ``expected``, or after a long time whatever it is."""
        end = monotonic() + self.patience
        while True:
            select.select([self.slave], [], [], 0)
            count = struct.unpack("i", fcntl.ioctl(self.slave, termios.FIONREAD, bytes(4)))[0]
            if count == expected or monotonic() > end:
                return count

    def shown(self, expected: int) -> bytes:
        """What the master sees: ``expected`` bytes and whatever follows at once."""
        data = b""
        end = monotonic() + self.patience
        poll = select.poll()
        poll.register(self.master, select.POLLIN)
        while True:
            wait = SILENCE_MS if len(data) >= expected else max(int((end - monotonic()) * 1000), 0)
            if not poll.poll(wait):
                return data
            data += os.read(self.master, 4096)

    def read(self, length: int) -> bytes | None:
        """What a program reads; None if it would wait."""
        try:
            return os.read(self.slave, length)
        except BlockingIOError:
            return None
