"""sysinfo(2): memory, uptime and the number of tasks, of the sandbox rather than of the host."""

from sentry.kernel.memory_usage import usage
from sentry.kernel.task import Task
from syscalls.abi.sysinfo import SYSINFO
from syscalls.abi.time import NSEC_PER_SEC
from syscalls.args import UserPtr
from syscalls.registry import Support, syscall


@syscall(man="sysinfo(2)", support=Support.PARTIAL, note="load averages, shared and buffer memory and swap are 0")
def sys_sysinfo(task: Task, info: UserPtr) -> int:
    """Store the totals. Errors: EFAULT."""
    kernel = task.kernel
    uptime = -((kernel.start_ns - kernel.runner.monotonic_ns()) // NSEC_PER_SEC)  # rounded up, as Linux does
    memory = usage(kernel)
    tasks = min(len(kernel.tasks), 0xFFFF)
    task.memory.write(info, SYSINFO.pack(uptime, 0, 0, 0, memory.total, memory.free, 0, 0, 0, 0, tasks, 0, 0, 1))
    return 0
