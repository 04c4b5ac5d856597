"""/proc/stat and /proc/uptime: processor time of the sandbox, not of the host (proc_stat(5), proc_uptime(5))."""

from typing import TYPE_CHECKING, Final

from sentry.fs.proc.host_thread import NS_PER_TICK, TICKS
from sentry.fs.proc.times import uptime_ns, used
from sentry.host import procfs

if TYPE_CHECKING:
    from sentry.kernel.task import Task

_NS_PER_SECOND: Final = 1_000_000_000


def stat(viewer: "Task") -> bytes:
    """The total, one line for each processor (an equal share: nobody knows who ran where), and counters."""
    kernel = viewer.kernel
    user, system = used(kernel)
    up = uptime_ns(kernel)
    processors = procfs.processors()
    count = len(processors)
    idle = max(up // NS_PER_TICK * count - user - system, 0)
    lines = [b"cpu  %d 0 %d %d 0 0 0 0 0 0\n" % (user, system, idle)]
    share = (user // count, system // count, idle // count)
    lines += [b"cpu%d %d 0 %d %d 0 0 0 0 0 0\n" % (number, *share) for number in processors]
    running = sum(1 for task in list(kernel.tasks.tasks.values()) if not task.fiber.is_busy)
    lines.append(b"intr 0\nctxt 0\nbtime %d\n" % ((kernel.realtime_ns() - up) // _NS_PER_SECOND))
    lines.append(b"processes %d\nprocs_running %d\nprocs_blocked 0\n" % (len(kernel.tasks), max(running, 1)))
    lines.append(b"softirq 0 0 0 0 0 0 0 0 0 0 0\n")
    return b"".join(lines)


def uptime(viewer: "Task") -> bytes:
    """Seconds up, seconds idle over all processors."""
    kernel = viewer.kernel
    user, system = used(kernel)
    up = uptime_ns(kernel) // NS_PER_TICK
    idle = max(up * len(procfs.processors()) - user - system, 0)
    return b"%d.%02d %d.%02d\n" % (*divmod(up, TICKS), *divmod(idle, TICKS))
