"""Signals that wait for a signalfd (signalfd(2)) instead of being pending on the host.

Only the host could take a pending signal out of its own queue, in the thread itself. So a blocked signal that some signalfd of
the process asks for is held back here, as a finished record, whenever the sentry is the one who sends it.

Differs from Linux: a held signal is unknown to sigpending(2), sigwait(3) and a later unblocking; only the process that made
the signalfd is served; SIGCHLD stays pending on the host as well.
"""

from typing import TYPE_CHECKING, Protocol

from sentry.kernel.task import Task
from sentry.sched.waitqueue import WaitQueue
from sentry.vfs.readiness import READABLE
from syscalls.abi.signal import SIGNALFD_SIGINFO, SIGRTMIN

if TYPE_CHECKING:
    from sentry.kernel.thread_group import ThreadGroup

HELD_MAX = 1024
_INT32 = 1 << 31


class Reader(Protocol):
    """A signalfd: the set of signals it asks for, bit n-1 for signal n."""

    mask: int


class HeldSignals:
    """What is held for one process, in order of arrival; ``queue`` wakes its signalfds."""

    __slots__ = ("queue", "readers", "records")

    def __init__(self) -> None:
        self.queue = WaitQueue()
        self.readers: list[Reader] = []
        self.records: list[tuple[int, bytes]] = []

    @property
    def mask(self) -> int:
        """All signals that somebody asks for."""
        mask = 0
        for reader in self.readers:
            mask |= reader.mask
        return mask

    def add(self, signal: int, record: bytes) -> None:
        """Hold one more; a standard signal is held once, whatever its number (signal(7))."""
        is_known = any(known == signal for known, _ in self.records)
        if (signal >= SIGRTMIN or not is_known) and len(self.records) < HELD_MAX:
            self.records.append((signal, record))
            self.queue.wake(READABLE)

    def has_any(self, mask: int) -> bool:
        """Whether one of the signals in ``mask`` is held."""
        return any(mask >> (signal - 1) & 1 for signal, _ in self.records)

    def take(self, mask: int) -> bytes | None:
        """The record of the lowest signal in ``mask``, the oldest first; None if there is none."""
        wanted = [signal for signal, _ in self.records if mask >> (signal - 1) & 1]
        if not wanted:
            return None
        lowest = min(wanted)
        for index, (signal, record) in enumerate(self.records):
            if signal == lowest:
                del self.records[index]
                return record
        return None

    def give_back(self) -> list[int]:
        """Forget, and return, the signals that nobody asks for any more."""
        mask = self.mask
        orphans = [signal for signal, _ in self.records if not mask >> (signal - 1) & 1]
        self.records = [entry for entry in self.records if mask >> (entry[0] - 1) & 1]
        return orphans


def hold(target: "ThreadGroup | Task", signal: int, code: int, sender: "Task | None" = None, value: int = 0) -> bool:
    """Hold ``signal`` for ``target`` (a thread or a process) if it is blocked there and a signalfd asks for it.

    ``sender`` is the guest that sends it, None the kernel. Returns False if it must go to the host as usual.
    """
    thread: Task | None = target if isinstance(target, Task) else None
    group: ThreadGroup = target.group if isinstance(target, Task) else target
    held = group.held_signals
    if held is None or not signal or not held.mask >> (signal - 1) & 1:
        return False
    tasks = list(group.tasks.values()) if thread is None else [thread]
    if not all(task.context.blocked_signals() >> (signal - 1) & 1 for task in tasks):
        return False
    pid, uid = (sender.group.tgid, sender.credentials.uid) if sender is not None else (0, 0)
    number = (value + _INT32) % (2 * _INT32) - _INT32
    held.add(signal, SIGNALFD_SIGINFO.pack(signal, 0, code, pid, uid, 0, 0, 0, 0, 0, 0, number, value, 0, 0, 0))
    return True
