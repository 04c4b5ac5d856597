"""Whom a signal sent by a guest reaches (kill(2)), and how it gets there.

The host delivers it, so that siginfo is true and the right thread takes it: where the jail has its own pid namespace the
guest's own call is let through after the check. Elsewhere a number could be recycled into a host process, and a signal that
reaches only some of a process group cannot be left to the host: then the sentry sends it (kernel-facts.md 6).
"""

from typing import TYPE_CHECKING

from sentry.kernel.ptrace_access import may_signal
from sentry.kernel.signals import from_process
from sentry.platform.interface import SignalInfo
from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.signal import NSIG, SIGCONT

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup

_INIT = 1
PID_NAMESPACE = "pidns"


def find_targets(task: "Task", pid: int) -> "list[ThreadGroup]":
    """The processes that kill(2)'s ``pid`` means. Errors: ESRCH."""
    tables = task.kernel.tasks
    if pid > 0:
        group = tables.find_group(pid)
        if group is None:
            thread = tables.find_task(pid)
            group = thread.group if thread is not None else None
        targets = [group] if group is not None else []
    elif pid == -1:
        targets = [group for group in tables.processes() if group.tgid != _INIT and group is not task.group]
    else:
        process_group = tables.find_process_group(-pid or task.group.process_group.pgid)
        targets = list(process_group.members.values()) if process_group is not None else []
    if not targets:
        raise SyscallError(ESRCH)
    return targets


def check_signal(signal: int) -> None:
    """Errors: EINVAL no such signal."""
    if not 0 <= signal <= NSIG:
        raise SyscallError(EINVAL)


def allowed(task: "Task", targets: "list[ThreadGroup]", signal: int) -> "list[ThreadGroup]":
    """Those of ``targets`` that the caller may signal. Errors: EPERM when there is none."""
    session = task.group.process_group.session
    reached = [
        group
        for group in targets
        if group is task.group or may_signal(task, group.leader) or (signal == SIGCONT and group.process_group.session is session)
    ]
    if not reached:
        raise SyscallError(EPERM)
    return reached


def is_host_exact(task: "Task") -> bool:
    """Whether the numbers that the guest uses can only mean the guest's own processes on the host."""
    return PID_NAMESPACE in task.kernel.platform.layers


def send_from_sentry(task: "Task", targets: "list[ThreadGroup]", signal: int) -> None:
    """Send ``signal`` in the guest's name, one process after the other."""
    info = from_process(task)
    for group in targets:
        task.kernel.signals.send_group(group, signal, info)


def queue_from_sentry(target: "Task", signal: int, info: SignalInfo, *, to_thread: bool) -> None:
    """Send ``signal`` to ``target`` or, unless ``to_thread``, to its process."""
    if to_thread:
        target.kernel.signals.send_task(target, signal, info)
    else:
        target.kernel.signals.send_group(target.group, signal, info)
