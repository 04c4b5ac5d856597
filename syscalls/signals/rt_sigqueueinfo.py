"""rt_sigqueueinfo(2), rt_tgsigqueueinfo(2): signals with data. The host reads the siginfo itself and checks its si_code."""

from sentry.kernel import kill
from sentry.kernel.ptrace_access import may_signal
from sentry.kernel.task import Task
from sentry.platform.interface import SignalInfo
from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.signal import SI_TKILL, SIGINFO
from syscalls.args import Pid, Result, Signal, UserPtr
from syscalls.registry import syscall


@syscall(man="rt_sigqueueinfo(2)")
def sys_rt_sigqueueinfo(task: Task, tgid: Pid, sig: Signal, uinfo: UserPtr) -> Result | None:
    """Send a signal with a siginfo to a process. Errors: EFAULT, EPERM, ESRCH, EINVAL."""
    info = task.memory.read_struct(SIGINFO, uinfo)
    code = info[2]
    _check_code(code, is_own=tgid == task.group.tgid)
    if tgid <= 0:
        raise SyscallError(ESRCH)
    targets = kill.find_targets(task, tgid)
    kill.check_signal(sig)
    kill.allowed(task, targets, sig)
    if sig == 0 or not targets[0].is_alive:
        return 0
    if targets[0] is not task.group and not kill.is_host_exact(task):
        kill.queue_from_sentry(targets[0].leader, sig, _info(info), to_thread=False)
        return 0
    task.kernel.signals.sent_by_guest(task, [*targets], sig)
    return None


@syscall(man="rt_sigqueueinfo(2)")
def sys_rt_tgsigqueueinfo(task: Task, tgid: Pid, tid: Pid, sig: Signal, uinfo: UserPtr) -> Result | None:
    """Send a signal with a siginfo to a thread. Errors: EFAULT, EINVAL, EPERM, ESRCH."""
    info = task.memory.read_struct(SIGINFO, uinfo)
    code = info[2]
    if tgid <= 0 or tid <= 0:
        raise SyscallError(EINVAL)
    _check_code(code, is_own=tid == task.tid)
    other = task.kernel.tasks.find_task(tid)
    if other is None or other.group.tgid != tgid:
        raise SyscallError(ESRCH)
    kill.check_signal(sig)
    if other.group is not task.group and not may_signal(task, other):
        raise SyscallError(EPERM)
    if sig == 0:
        return 0
    if other.group is not task.group and not kill.is_host_exact(task):
        kill.queue_from_sentry(other, sig, _info(info), to_thread=True)
        return 0
    task.kernel.signals.sent_by_guest(task, [other], sig)
    return None


def _info(info: tuple[int, ...]) -> SignalInfo:
    """The sender says who it is, and may lie (rt_sigqueueinfo(2))."""
    _, _, code, pid, uid, value = info
    return SignalInfo(code, pid & 0xFFFFFFFF, uid, value)


def _check_code(code: int, *, is_own: bool) -> None:
    """Nobody may pretend to be the kernel, or kill(2), towards others."""
    if (code >= 0 or code == SI_TKILL) and not is_own:
        raise SyscallError(EPERM)
