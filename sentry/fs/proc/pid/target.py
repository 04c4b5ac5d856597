"""The process or thread that a directory below /proc stands for, and who may look into it."""

from typing import TYPE_CHECKING

from sentry.kernel.ptrace_access import may_inspect
from syscalls.abi.errno import EACCES, ESRCH
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup


class Target:
    """A process (``thread`` None) or one of its threads."""

    __slots__ = ("group", "thread")

    def __init__(self, group: "ThreadGroup", thread: "Task | None" = None) -> None:
        self.group = group
        self.thread = thread

    @property
    def task(self) -> "Task":
        """The thread, or the process's leader."""
        return self.thread if self.thread is not None else self.group.leader

    @property
    def is_thread(self) -> bool:
        """Whether this is a directory of /proc/PID/task."""
        return self.thread is not None

    @property
    def number(self) -> int:
        """Its name."""
        return self.task.tid

    @property
    def exists(self) -> bool:
        """Whether it is alive or a zombie that nobody has waited for."""
        group = self.group
        table = group.leader.kernel.tasks
        if table.find_group(group.tgid) is not group:
            return False
        return self.thread is None or table.tasks.get(self.thread.tid) is self.thread

    @property
    def is_zombie(self) -> bool:
        """Whether nothing but the number and the status is left."""
        return not self.group.is_alive or self.task.is_exiting

    def check_exists(self) -> None:
        """Errors: ESRCH."""
        if not self.exists:
            raise SyscallError(ESRCH)

    def check_inspect(self, viewer: "Task") -> None:
        """PTRACE_MODE_READ. Errors: EACCES, ESRCH."""
        self.check_exists()
        if not may_inspect(viewer, self.task):
            raise SyscallError(EACCES)
