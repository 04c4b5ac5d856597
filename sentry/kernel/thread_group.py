"""A process: the tasks that share a tgid, and what belongs to the process as a whole."""

from typing import TYPE_CHECKING

from sentry.sched.waitqueue import WaitQueue
from syscalls.abi.signal import SIGCHLD

if TYPE_CHECKING:
    from sentry.fs.aio import AioContext
    from sentry.ipc.shared_memory import Segment
    from sentry.kernel.fs_context import FsContext
    from sentry.kernel.session import ProcessGroup
    from sentry.kernel.task import Task
    from sentry.vfs.context import Path


class ThreadGroup:
    """A process. ``tgid`` is the guest's pid.

    ``wait_queue`` wakes waiters of this process when a child changes state; ``exit_status`` is the host's wait status once
    the tracer has reaped the leader (None while alive).
    """

    __slots__ = (
        "__weakref__",
        "aio",
        "arguments",
        "auxv",
        "children",
        "enters",
        "environment",
        "executable",
        "exit_queue",
        "exit_signal",
        "exit_status",
        "has_execed",
        "host_pid",
        "in_flight",
        "is_child_subreaper",
        "is_dumpable",
        "is_stopped",
        "leader",
        "limits",
        "oom_score_adj",
        "oom_score_adj_min",
        "parent",
        "process_group",
        "segments",
        "signal_epoch",
        "start_time_ns",
        "stop_report",
        "tasks",
        "tgid",
        "timers",
        "wait_queue",
    )

    def __init__(
        self, tgid: int, parent: "ThreadGroup | None", process_group: "ProcessGroup", limits: dict[int, tuple[int, int]]
    ) -> None:
        self.tgid = tgid
        self.parent = parent
        self.process_group = process_group
        self.limits = limits
        self.tasks: dict[int, Task] = {}
        self.leader: Task
        self.children: dict[int, ThreadGroup] = {}
        self.wait_queue = WaitQueue()
        self.exit_queue = WaitQueue()
        self.exit_signal = SIGCHLD  # what the parent hears; anything else makes it a "clone" child (wait4, __WCLONE)
        self.exit_status: int | None = None
        self.is_stopped = False
        #: threads whose kill of this process was let through, each with that call
        self.in_flight: list[tuple[Task, tuple[int, ...]]] = []
        self.signal_epoch = 0  # counts the signals and stops that were sent to the process or one of its threads
        self.stop_report: str | None = None  # "stopped" or "continued", until a wait has told the parent
        self.is_child_subreaper = False
        self.is_dumpable = True  # PR_SET_DUMPABLE; /proc/PID belongs to root while it is not
        self.has_execed = False
        self.oom_score_adj = 0  # /proc/PID/oom_score_adj, and how low the unprivileged may set it
        self.oom_score_adj_min = 0
        self.executable: Path | None = None
        self.arguments = b""
        self.environment = b""
        self.enters: FsContext | None = None  # what its first exec takes it to
        self.auxv = b""
        self.start_time_ns = 0
        self.timers: dict[int, object] = {}
        self.host_pid = 0
        self.aio: dict[int, AioContext] = {}  # by the address that names them; gone with the address space
        self.segments: set[Segment] = set()  # System V shared memory that it may have attached

    @property
    def is_alive(self) -> bool:
        """Whether any task is left."""
        return self.exit_status is None
