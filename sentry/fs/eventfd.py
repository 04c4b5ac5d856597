"""eventfd(2): a 64-bit counter that tasks can wait on. Linux: fs/eventfd.c."""

from typing import TYPE_CHECKING

from sentry.fs.anon import AnonFile
from sentry.vfs.readiness import POLLERR, POLLIN, POLLOUT
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import Fault, SyscallError

if TYPE_CHECKING:
    from sentry.vfs.inode import Inode
    from sentry.vfs.io import Sink, Source

COUNT_MAX = 0xFFFFFFFFFFFFFFFF
_WORD = 8


class EventFile(AnonFile):
    """``count`` never exceeds 2^64-1, and writes never take it beyond 2^64-2."""

    __slots__ = ("count", "is_semaphore")

    def __init__(self, inode: "Inode", flags: int, count: int, *, is_semaphore: bool) -> None:
        super().__init__(inode, flags)
        self.count = count
        self.is_semaphore = is_semaphore

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Store the count and clear it (semaphore: store 1 and take 1). Errors: EINVAL fewer than 8 bytes, EFAULT."""
        if sink.remaining < _WORD:
            raise SyscallError(EINVAL)
        count = self.count
        if not count:
            return None
        taken = 1 if self.is_semaphore else count
        # Linux takes the count first and then copies: a fault loses it (eventfd_read()).
        self.count = count - taken
        if self.queue:
            self.queue.wake(POLLOUT)
        if sink.put(taken.to_bytes(_WORD, "little")) < _WORD:
            raise Fault
        return _WORD

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Add to the count; None while that would overflow. Errors: EINVAL not 8 bytes, or 2^64-1; EFAULT."""
        if source.remaining != _WORD:
            raise SyscallError(EINVAL)
        word = source.peek(_WORD)
        if len(word) < _WORD:
            raise Fault
        value = int.from_bytes(word, "little")
        if value == COUNT_MAX:
            raise SyscallError(EINVAL)
        if COUNT_MAX - self.count <= value:
            return None
        source.take(_WORD)
        self.count += value
        if self.queue:
            self.queue.wake(POLLIN)
        return _WORD

    def readiness(self) -> int:
        """Readable above 0, writable while 1 can be added, POLLERR at the overflow value."""
        mask = 0
        if self.count:
            mask = POLLIN
        if self.count < COUNT_MAX - 1:
            mask |= POLLOUT
        if self.count == COUNT_MAX:
            mask |= POLLERR
        return mask

    def fdinfo(self) -> bytes:
        """Lines of /proc/PID/fdinfo/N."""
        line = b"eventfd-count: %16x\neventfd-id: %d\neventfd-semaphore: %d\n"
        return line % (self.count, self.inode.attr.ino, self.is_semaphore)
