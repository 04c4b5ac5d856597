"""System V semaphore sets (semop(2)): operations happen all at once or not at all, sleepers are served in order.

Linux: ipc/sem.c, perform_atomic_semop(), do_smart_update(), exit_sem().
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sentry.ipc.charge import Charge
from sentry.ipc.permission import IpcPerm
from sentry.ipc.waiter import Waiter
from syscalls.abi.errno import EAGAIN, EIDRM, ERANGE
from syscalls.abi.errors import SyscallError
from syscalls.abi.ipc import IPC_NOWAIT, SEM_UNDO, SEMAEM, SEMVMX

if TYPE_CHECKING:
    from sentry.kernel.creds import Credentials
    from sentry.kernel.limits import SandboxLimits

_SEMAPHORE_BYTES: Final = 24
_ADJUSTMENT_BYTES: Final = 128


class Operation(NamedTuple):
    """struct sembuf."""

    number: int
    change: int
    flags: int


class Undo:
    """What a process has to take back from one set when it ends: semaphore number to adjustment."""

    __slots__ = ("_charges", "_limits", "adjustments")

    def __init__(self, limits: "SandboxLimits") -> None:
        self._limits = limits
        self._charges: list[Charge] = []
        self.adjustments: dict[int, int] = {}

    def reserve(self, numbers: Sequence[int]) -> None:
        """Make room, before anything happens. Errors: ENOMEM."""
        for number in numbers:
            if number not in self.adjustments:
                self._charges.append(Charge(self._limits, _ADJUSTMENT_BYTES))
                self.adjustments[number] = 0


class Sleeper(Waiter):
    """Operations that cannot happen yet. ``blocking`` is the one that stands in the way."""

    __slots__ = ("blocking", "operations", "pid", "undo")

    def __init__(self, operations: Sequence[Operation], undo: Undo | None, pid: int, blocking: Operation) -> None:
        super().__init__()
        self.operations = operations
        self.undo = undo
        self.pid = pid
        self.blocking = blocking


class SemaphoreSet:
    """``values`` and ``pids`` by number; times in seconds."""

    __slots__ = ("__weakref__", "_charge", "_sleepers", "ctime", "otime", "perm", "pids", "undos", "values")

    def __init__(self, perm: IpcPerm, count: int, limits: "SandboxLimits", now: int) -> None:
        self._charge = Charge(limits, count * _SEMAPHORE_BYTES)
        self.perm = perm
        self.values = [0] * count
        self.pids = [0] * count
        self.otime = 0
        self.ctime = now
        #: of all processes that have adjustments here
        self.undos: list[Undo] = []
        self._sleepers: list[Sleeper] = []

    def perform(self, operations: Sequence[Operation], undo: Undo | None, pid: int) -> Operation | None:
        """Carry all out; None, or the operation that would have to wait. Errors: EAGAIN (IPC_NOWAIT), ERANGE."""
        values = self.values
        adjustments = undo.adjustments if undo is not None else {}
        done: list[tuple[int, int, int]] = []  # number, value before, adjustment before
        failed: tuple[Operation, int] | None = None  # with what it means unless it may wait
        for operation in operations:
            number, change, flags = operation
            value = values[number]
            result = value + change
            if (not change and value) or result < 0:
                failed = operation, EAGAIN if flags & IPC_NOWAIT else 0
                break
            adjustment = adjustments.get(number, 0)
            wanted = adjustment - change
            if result > SEMVMX or (flags & SEM_UNDO and not -SEMAEM - 1 <= wanted <= SEMAEM):
                failed = operation, ERANGE
                break
            done.append((number, value, adjustment))
            values[number] = result
            if flags & SEM_UNDO and change:
                adjustments[number] = wanted
        if failed is not None:
            for number, value, adjustment in reversed(done):
                values[number] = value
                if number in adjustments:
                    adjustments[number] = adjustment
            blocked, errno = failed
            if errno:
                raise SyscallError(errno)
            return blocked
        for number, _, _ in done:
            self.pids[number] = pid
        return None

    def new_undo(self, limits: "SandboxLimits") -> Undo:
        """The adjustments of one more process."""
        undo = Undo(limits)
        self.undos.append(undo)
        return undo

    def enqueue(self, sleeper: Sleeper) -> None:
        """Let ``sleeper`` wait for its turn."""
        self._sleepers.append(sleeper)

    def dequeue(self, sleeper: Sleeper) -> None:
        """It gives up, or is through."""
        if sleeper in self._sleepers:
            self._sleepers.remove(sleeper)

    def changed(self, now: int) -> None:
        """Values have changed: whoever can go on does, waits for zero first, the others in order of arrival."""
        self._serve(now, for_zero=True)
        while self._serve(now, for_zero=False):
            self._serve(now, for_zero=True)

    def _serve(self, now: int, *, for_zero: bool) -> bool:
        """Serve sleepers of one kind; whether one has changed a value (then all others may go on as well)."""
        for sleeper in list(self._sleepers):
            alters = any(operation.change for operation in sleeper.operations)
            if alters == for_zero:
                continue
            try:
                blocking = self.perform(sleeper.operations, sleeper.undo, sleeper.pid)
            except SyscallError as error:
                self._sleepers.remove(sleeper)
                sleeper.finish(-error.errno)
                continue
            if blocking is not None:
                sleeper.blocking = blocking
                continue
            self._sleepers.remove(sleeper)
            self.otime = now
            sleeper.finish(0)
            if alters:
                return True
        return False

    def count_waiting(self, number: int, *, for_zero: bool) -> int:
        """GETNCNT, GETZCNT."""
        return sum(sleeper.blocking.number == number and (sleeper.blocking.change == 0) == for_zero for sleeper in self._sleepers)

    def assign(self, values: dict[int, int], pid: int, now: int) -> None:
        """SETVAL, SETALL: adjustments of every process for these semaphores are dropped. Errors: ERANGE."""
        if any(not 0 <= value <= SEMVMX for value in values.values()):
            raise SyscallError(ERANGE)
        for number, value in values.items():
            self.values[number] = value
            self.pids[number] = pid
            for undo in self.undos:
                if number in undo.adjustments:
                    undo.adjustments[number] = 0
        self.ctime = now
        self.changed(now)

    def take_back(self, undo: Undo, pid: int, now: int) -> None:
        """A process has ended: apply its adjustments, as far as the values' range allows."""
        self.undos.remove(undo)
        for number, adjustment in undo.adjustments.items():
            if adjustment:
                self.values[number] = min(max(self.values[number] + adjustment, 0), SEMVMX)
                self.pids[number] = pid
        self.otime = now
        self.changed(now)

    def remove(self) -> None:
        """Everybody who sleeps gets EIDRM."""
        for sleeper in self._sleepers:
            sleeper.finish(-EIDRM)
        self._sleepers.clear()
        self.undos.clear()


def new_set(creds: "Credentials", key: int, mode: int, count: int, limits: "SandboxLimits", now: int) -> SemaphoreSet:
    """Errors: ENOMEM."""
    return SemaphoreSet(IpcPerm(key, mode, creds), count, limits, now)
