"""/proc/loadavg (proc_loadavg(5))."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry.kernel.task import Task


def loadavg(viewer: "Task") -> bytes:
    """No averages are kept, as sysinfo(2) says; running and existing tasks and the newest pid are true."""
    tasks = viewer.kernel.tasks.tasks
    running = sum(1 for task in list(tasks.values()) if not task.fiber.is_busy or task is viewer)
    return b"0.00 0.00 0.00 %d/%d %d\n" % (max(running, 1), len(tasks), max(tasks, default=0))
