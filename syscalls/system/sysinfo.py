"""sysinfo(2): memory, uptime and the number of tasks, of the sandbox rather than of the host."""

from sentry.fs.proc.loadavg import averages
from sentry.kernel.memory_usage import usage
from sentry.kernel.task import Task
from syscalls.abi.sysinfo import SYSINFO
from syscalls.abi.time import NSEC_PER_SEC
from syscalls.args import UserPtr
from syscalls.registry import Support, syscall

#: load averages are fixed-point numbers (SI_LOAD_SHIFT)
LOAD_SCALE = 1 << 16


@syscall(man="sysinfo(2)", support=Support.PARTIAL, note="shared and buffer memory and swap are 0")
def sys_sysinfo(task: Task, info: UserPtr) -> int:
    """Store the totals. Errors: EFAULT."""
    kernel = task.kernel
    uptime = -((kernel.start_ns - kernel.runner.monotonic_ns()) // NSEC_PER_SEC)  # rounded up, as Linux does
    memory = usage(kernel)
    tasks = min(len(kernel.tasks), 0xFFFF)
    loads = (int(average * LOAD_SCALE) for average in averages(task))
    task.memory.write(info, SYSINFO.pack(uptime, *loads, memory.total, memory.free, 0, 0, 0, 0, tasks, 0, 0, 1))
    return 0
