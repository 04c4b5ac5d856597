"""alarm(2), getitimer(2), setitimer(2)."""

from sentry.kernel.task import Task
from sentry.kernel.timers import interval_timer, set_interval_timer
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.time import ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL, ITIMERVAL, NSEC_PER_SEC, NSEC_PER_USEC
from syscalls.args import PROCEED, Int, Result, UInt, UserPtr
from syscalls.registry import Support, syscall

_NOTE = "ITIMER_VIRTUAL and ITIMER_PROF are the host's: a thread that waits in a call hears them when the call ends"
_CPU_TIMERS = (ITIMER_VIRTUAL, ITIMER_PROF)


@syscall(man="alarm(2)")
def sys_alarm(task: Task, seconds: UInt) -> int:
    """Send SIGALRM after ``seconds``; returns the seconds that were left of the last alarm."""
    left, _ = set_interval_timer(task.group, seconds * NSEC_PER_SEC, 0)
    whole, rest = divmod(left, NSEC_PER_SEC)
    return whole + (rest >= NSEC_PER_SEC // 2 or (not whole and rest > 0))


@syscall(man="getitimer(2)", support=Support.PARTIAL, note=_NOTE)
def sys_getitimer(task: Task, which: Int, curr_value: UserPtr) -> Result:
    """Store what is left of an interval timer. Errors: EINVAL, EFAULT."""
    if which in _CPU_TIMERS:
        return PROCEED
    if which != ITIMER_REAL:
        raise SyscallError(EINVAL)
    _store(task, curr_value, *interval_timer(task.group).remaining())
    return 0


@syscall(man="getitimer(2)", support=Support.PARTIAL, note=_NOTE)
def sys_setitimer(task: Task, which: Int, new_value: UserPtr, old_value: UserPtr) -> Result:
    """Arm or disarm an interval timer. Errors: EFAULT, EINVAL."""
    if which in _CPU_TIMERS:
        return PROCEED  # the timer's kind is a register; the times in memory concern the guest alone
    interval_s, interval_us, value_s, value_us = task.memory.read_struct(ITIMERVAL, new_value) if new_value else (0, 0, 0, 0)
    for seconds, microseconds in ((interval_s, interval_us), (value_s, value_us)):
        if seconds < 0 or not 0 <= microseconds < 1_000_000:
            raise SyscallError(EINVAL)
    if which != ITIMER_REAL:
        raise SyscallError(EINVAL)
    value_ns = value_s * NSEC_PER_SEC + value_us * NSEC_PER_USEC
    interval_ns = interval_s * NSEC_PER_SEC + interval_us * NSEC_PER_USEC
    left = set_interval_timer(task.group, value_ns, interval_ns)
    if old_value:
        _store(task, old_value, *left)
    return 0


def _store(task: Task, addr: int, value_ns: int, interval_ns: int) -> None:
    # An armed timer never reads as zero.
    value_us = max(value_ns // NSEC_PER_USEC, 1) if value_ns else 0
    task.memory.write(addr, ITIMERVAL.pack(*divmod(interval_ns // NSEC_PER_USEC, 1_000_000), *divmod(value_us, 1_000_000)))
