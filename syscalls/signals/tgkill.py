"""tkill(2), tgkill(2): signals to one thread."""

from sentry.kernel import kill
from sentry.kernel.ptrace_access import may_signal
from sentry.kernel.signals import from_process
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.signal import SI_TKILL
from syscalls.args import PROCEED, Pid, Result, Signal
from syscalls.registry import syscall


@syscall(man="tkill(2)")
def sys_tkill(task: Task, tid: Pid, sig: Signal) -> Result | None:
    """Send a signal to a thread. Errors: EINVAL, ESRCH, EPERM."""
    if tid <= 0:
        raise SyscallError(EINVAL)
    return _send(task, tid, sig)


@syscall(man="tkill(2)")
def sys_tgkill(task: Task, tgid: Pid, tid: Pid, sig: Signal) -> Result | None:
    """Send a signal to a thread of a process. Errors: EINVAL, ESRCH, EPERM."""
    if tid <= 0 or tgid <= 0:
        raise SyscallError(EINVAL)
    other = task.kernel.tasks.find_task(tid)
    if other is not None and other.group.tgid != tgid:
        raise SyscallError(ESRCH)
    return _send(task, tid, sig)


def _send(task: Task, tid: int, sig: int) -> Result | None:
    other = task.kernel.tasks.find_task(tid)
    if other is None:
        return _send_to_zombie(task, tid, sig)
    kill.check_signal(sig)
    if other.group is not task.group and not may_signal(task, other):
        raise SyscallError(EPERM)
    if sig == 0:
        return 0
    if other is task and task.kernel.signals.arrivals is None:
        return PROCEED
    if other.group is not task.group and not kill.is_host_exact(task):
        task.kernel.signals.send_task(other, sig, from_process(task, SI_TKILL))
        return 0
    task.kernel.signals.sent_by_guest(task, [other], sig)
    return None


def _send_to_zombie(task: Task, tid: int, sig: int) -> int:
    """A process that is dead but not waited for takes every signal, to no effect. Errors: ESRCH, EINVAL, EPERM."""
    group = task.kernel.tasks.find_group(tid)
    if group is None:
        raise SyscallError(ESRCH)
    kill.check_signal(sig)
    if not may_signal(task, group.leader):
        raise SyscallError(EPERM)
    return 0
