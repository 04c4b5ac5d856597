"""What a process takes back from semaphores when it ends (semop(2), SEM_UNDO), shared by CLONE_SYSVSEM.

The semaphores themselves are above the kernel (``sentry.ipc``); here is only whose adjustments they are.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry.ipc.semaphore import SemaphoreSet, Undo
    from sentry.kernel.limits import SandboxLimits
    from sentry.kernel.task import Task

_NSEC_PER_SEC = 1_000_000_000


class UndoList:
    """The adjustments of a task, or of the tasks that share them."""

    __slots__ = ("_by_set", "references")

    def __init__(self) -> None:
        self._by_set: dict[SemaphoreSet, Undo] = {}
        self.references = 1

    def of(self, semaphores: "SemaphoreSet", limits: "SandboxLimits") -> "Undo":
        """The adjustments for one set."""
        undo = self._by_set.get(semaphores)
        if undo is None:
            for removed in [known for known in self._by_set if known.perm.is_removed]:
                del self._by_set[removed]
            undo = self._by_set[semaphores] = semaphores.new_undo(limits)
        return undo

    def leave(self, pid: int, now: int) -> None:
        """A task ends or stops sharing; with the last one everything is taken back."""
        self.references -= 1
        if self.references:
            return
        for semaphores, undo in self._by_set.items():
            if not semaphores.perm.is_removed:
                semaphores.take_back(undo, pid, now)
        self._by_set.clear()


def undo_list_of(task: "Task") -> UndoList:
    """The task's list, made when it is first needed."""
    if task.sem_undo is None:
        task.sem_undo = UndoList()
    return task.sem_undo


def shared_undo_list(maker: "Task") -> UndoList:
    """For a task that ``maker`` makes with CLONE_SYSVSEM."""
    undo_list = undo_list_of(maker)
    undo_list.references += 1
    return undo_list


def leave_undo_list(task: "Task") -> None:
    """The task ends, or has called unshare(CLONE_SYSVSEM)."""
    undo_list, task.sem_undo = task.sem_undo, None
    if undo_list is not None:
        undo_list.leave(task.group.tgid, task.kernel.realtime_ns() // _NSEC_PER_SEC)
