"""/proc/loadavg (proc_loadavg(5))."""

from typing import TYPE_CHECKING

from sentry.fs.proc.host_thread import NS_PER_TICK
from sentry.fs.proc.times import used

if TYPE_CHECKING:
    from sentry.kernel.task import Task


def averages(viewer: "Task") -> tuple[float, ...]:
    """Over one, five and fifteen minutes."""
    kernel = viewer.kernel
    return kernel.load.read(kernel.runner.monotonic_ns() - kernel.start_ns, sum(used(kernel)) * NS_PER_TICK)


def loadavg(viewer: "Task") -> bytes:
    """Averages, running and existing tasks, the newest pid."""
    tasks = viewer.kernel.tasks.tasks
    running = sum(1 for task in list(tasks.values()) if not task.fiber.is_busy or task is viewer)
    return b"%.2f %.2f %.2f %d/%d %d\n" % (*averages(viewer), max(running, 1), len(tasks), max(tasks, default=0))
