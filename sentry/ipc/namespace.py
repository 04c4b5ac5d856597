"""An IPC namespace (ipc_namespaces(7)): its System V objects, POSIX queues and limits."""

from typing import TYPE_CHECKING, Any

from sentry.ipc.settings import IpcSettings
from sentry.ipc.table import IdTable

if TYPE_CHECKING:
    from sentry.ipc.message import MessageQueue
    from sentry.ipc.semaphore import SemaphoreSet
    from sentry.ipc.shared_memory import Segment
    from sentry.kernel.task import Task

FIRST_ID = 4026531839
NSEC_PER_SEC = 1_000_000_000


class IpcNamespace:
    """``mqueue`` is the file system of the POSIX queues, once somebody has used it (sentry.fs.mqueue)."""

    __slots__ = ("id", "messages", "mqueue", "segments", "semaphores", "settings")

    def __init__(self, number: int = FIRST_ID) -> None:
        self.id = number
        self.settings = IpcSettings()
        self.semaphores: IdTable[SemaphoreSet] = IdTable()
        self.messages: IdTable[MessageQueue] = IdTable()
        self.segments: IdTable[Segment] = IdTable()
        self.mqueue: Any = None


def ipc_of(task: "Task") -> IpcNamespace:
    """The IPC namespace of ``task``."""
    namespaces = task.namespaces
    if namespaces.ipc is None:
        namespaces.ipc = IpcNamespace()
    return namespaces.ipc


def seconds(task: "Task") -> int:
    """The wall clock, as the ..._ds structures show it."""
    return task.kernel.realtime_ns() // NSEC_PER_SEC
