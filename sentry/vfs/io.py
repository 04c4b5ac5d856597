"""Where bytes of a read go to and where bytes of a write come from.

A file never sees guest addresses: it is handed a ``Sink`` or a ``Source``. ``put`` tells how much the destination took, so a
pipe removes only what has arrived (a partial effect is never lost). ``sentry.mm.usermem`` makes them for guest memory;
``BytesSink``/``BytesSource`` serve the kernel itself (sendfile, splice, the loader).
"""

from typing import Protocol

HostFd = int


class Sink(Protocol):
    """Destination of a read."""

    remaining: int

    def put(self, data: bytes | bytearray | memoryview) -> int:
        """Take up to ``remaining`` bytes; returns how many. Raises Fault if not even the first byte can be stored."""

    def put_from_host(self, fd: HostFd, offset: int, length: int) -> int:
        """Take up to ``length`` bytes of a host regular file at ``offset``; returns how many (0 at its end)."""


class Source(Protocol):
    """Origin of a write."""

    remaining: int

    def take(self, length: int) -> bytes:
        """Return up to ``length`` bytes and advance. Raises Fault if not even the first byte can be read."""

    def peek(self, length: int) -> bytes:
        """``take`` without advancing, for an object that must look before it can say whether it would block."""

    def take_to_host(self, fd: HostFd, offset: int, length: int) -> int:
        """Write up to ``length`` bytes to a host regular file at ``offset``; returns how many."""
