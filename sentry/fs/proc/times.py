"""Processor time of all processes of a container, and how long it has been up."""

from typing import TYPE_CHECKING, NamedTuple

from sentry.fs.proc import host_thread

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel


class Ticks(NamedTuple):
    """Clock ticks."""

    user: int
    system: int


def used(kernel: "Kernel") -> Ticks:
    """What living processes and the children they have waited for used (proc_pid_stat(5), fields 14 to 17)."""
    user = system = 0
    for group in list(kernel.tasks.groups.values()):
        if group.is_alive:
            fields = host_thread.read_stat(group.leader).fields
            user += fields[14] + fields[16]
            system += fields[15] + fields[17]
    return Ticks(user, system)


def uptime_ns(kernel: "Kernel") -> int:
    """Since the container was made, as sysinfo(2) counts."""
    return kernel.runner.monotonic_ns() - kernel.start_ns
