"""signalfd(2): blocked signals are read as records."""

from typing import TYPE_CHECKING

from sentry.fs.anon import AnonFile, anon_inode
from sentry.kernel.held_signals import HeldSignals
from sentry.vfs.readiness import READABLE
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_RDWR
from syscalls.abi.signal import SIGKILL, SIGNALFD_SIGINFO, SIGSTOP

if TYPE_CHECKING:
    from sentry.kernel.thread_group import ThreadGroup
    from sentry.vfs.io import Sink

_NEVER = 1 << (SIGKILL - 1) | 1 << (SIGSTOP - 1)


class SignalFile(AnonFile):
    """Reads what ``group`` has held for it."""

    __slots__ = ("_group", "_held", "mask")

    def __init__(self, group: "ThreadGroup", flags: int, mask: int) -> None:
        super().__init__(anon_inode(group.leader.kernel, b"signalfd"), O_RDWR | flags)
        if group.held_signals is None:
            group.held_signals = HeldSignals()
        self._group = group
        self._held = group.held_signals
        self._held.readers.append(self)
        self.queue = self._held.queue
        self.mask = mask & ~_NEVER

    def set_mask(self, mask: int) -> None:
        """signalfd(2) on an existing descriptor."""
        self.mask = mask & ~_NEVER
        self._held.queue.wake(READABLE)

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Store as many records as fit. Errors: EINVAL fewer bytes than one record."""
        if sink.remaining < SIGNALFD_SIGINFO.size:
            raise SyscallError(EINVAL)
        done = 0
        while sink.remaining >= SIGNALFD_SIGINFO.size:
            record = self._held.take(self.mask)
            if record is None:
                break
            done += sink.put(record)
        return done or None

    def readiness(self) -> int:
        """Readable while a signal of the mask is held."""
        return READABLE if self._held.has_any(self.mask) else 0

    def close(self) -> None:
        """What nobody reads any more goes the ordinary way."""
        self._held.readers.remove(self)
        group = self._group
        for signal in self._held.give_back():
            if group.is_alive and group.tasks:
                group.leader.context.send_signal(signal)

    def fdinfo(self) -> bytes:
        """The sigmask line of /proc/PID/fdinfo/N."""
        return b"sigmask:\t%016x\n" % self.mask
