"""kill(2): signals to processes and process groups."""

from sentry.kernel import kill
from sentry.kernel.task import Task
from syscalls.args import PROCEED, Pid, Result, Signal
from syscalls.registry import syscall

PROCEEDS = "only to processes of the guest that it may signal, inside the container's pid namespace or to itself"


@syscall(man="kill(2)", proceeds=PROCEEDS)
def sys_kill(task: Task, pid: Pid, sig: Signal) -> Result | None:
    """Send a signal; 0 only asks whether that is possible. Errors: ESRCH, EINVAL, EPERM."""
    targets = kill.find_targets(task, pid)
    kill.check_signal(sig)
    reached = kill.allowed(task, targets, sig)
    if sig == 0:
        return 0
    living = [group for group in reached if group.is_alive]
    if not living:
        return 0
    if pid == -1 or len(living) < len(reached) or len(reached) < len(targets) or not kill.is_host_exact(task):
        kill.send_from_sentry(task, living, sig)
        return 0
    if living == [task.group] and len(task.group.tasks) == 1 and task.kernel.signals.arrivals is None:
        return PROCEED
    task.kernel.signals.sent_by_guest(task, [*living], sig)
    return None
