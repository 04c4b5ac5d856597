"""clock_settime(2), settimeofday(2), adjtimex(2): no guest sets the host's clocks, not even its root."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EOPNOTSUPP, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.time import (
    ADJ_OFFSET_SINGLESHOT,
    ADJ_OFFSET_SS_READ,
    CLOCK_REALTIME,
    NSEC_PER_SEC,
    NSEC_PER_USEC,
    STA_UNSYNC,
    TIME_ERROR,
    TIMESPEC,
    TIMEVAL,
    TIMEX,
)
from syscalls.args import Int, UserPtr
from syscalls.registry import Support, syscall
from syscalls.time.clock_gettime import check_clock

_REASON = "the clocks are the host's: CAP_SYS_TIME is never granted"
_TICK_US = 10_000
_ADJ_ADJTIME = 0x8000  # adjtime(3)'s way of asking; it goes with bit 0
_MAX_ERROR_US = 16_000_000
_TOLERANCE = 500 << 16
#: clocks that there are but that nobody adjusts: 1 to 9 and CLOCK_TAI; of the negative ones those that are no descriptor's
_FIXED_CLOCKS = frozenset((*range(1, 10), 11))
_CLOCK_KIND, _CLOCK_OF_FD = 7, 3


@syscall(man="gettimeofday(2)", support=Support.REFUSED, note=f"EPERM: {_REASON}")
def sys_settimeofday(task: Task, tv: UserPtr, tz: UserPtr) -> int:
    """Refuse to set the wall clock. Errors: EFAULT; EINVAL; EPERM."""
    if tv:
        seconds, microseconds = task.memory.read_struct(TIMEVAL, tv)
        if seconds < 0 or not 0 <= microseconds < NSEC_PER_SEC // NSEC_PER_USEC:
            raise SyscallError(EINVAL)
    if tz:
        task.memory.read_u64(tz)
    raise SyscallError(EPERM)


@syscall(man="clock_gettime(2)", support=Support.REFUSED, note=f"EPERM: {_REASON}")
def sys_clock_settime(task: Task, clockid: Int, tp: UserPtr) -> int:
    """Refuse to set a clock. Errors: EINVAL a clock that nobody can set; EFAULT; EPERM."""
    if clockid > CLOCK_REALTIME or clockid & _CLOCK_KIND == _CLOCK_OF_FD:
        raise SyscallError(EINVAL)
    seconds, nanoseconds = task.memory.read_struct(TIMESPEC, tp)
    if clockid < 0:
        check_clock(task, clockid)  # Linux: kernel/time/posix-cpu-timers.c, posix_cpu_clock_set()
    elif seconds < 0 or not 0 <= nanoseconds < NSEC_PER_SEC:
        raise SyscallError(EINVAL)
    raise SyscallError(EPERM)


@syscall(man="adjtimex(2)", support=Support.PARTIAL, note="reading only (an unsynchronised clock); changes are EPERM")
def sys_adjtimex(task: Task, buf: UserPtr) -> int:
    """Store the clock's parameters. Errors: EFAULT, EPERM."""
    return _read(task, buf)


@syscall(man="adjtimex(2)", support=Support.PARTIAL, note="reading CLOCK_REALTIME only; changes are EPERM")
def sys_clock_adjtime(task: Task, clk_id: Int, buf: UserPtr) -> int:
    """Store the clock's parameters. Errors: EFAULT, EINVAL no such clock, EOPNOTSUPP it cannot be adjusted, EPERM."""
    task.memory.read_u32(buf)
    if clk_id != CLOCK_REALTIME:
        is_clock = clk_id in _FIXED_CLOCKS or (clk_id < 0 and clk_id & _CLOCK_KIND != _CLOCK_OF_FD)
        raise SyscallError(EOPNOTSUPP if is_clock else EINVAL)
    return _read(task, buf)


def _read(task: Task, addr: int) -> int:
    modes = task.memory.read_u32(addr)
    if modes & _ADJ_ADJTIME and not modes & ~_ADJ_ADJTIME & ADJ_OFFSET_SINGLESHOT:
        raise SyscallError(EINVAL)
    if modes not in (0, ADJ_OFFSET_SS_READ):
        raise SyscallError(EPERM)
    seconds, nanoseconds = divmod(task.kernel.realtime_ns(), NSEC_PER_SEC)
    clock = (0, 0, _MAX_ERROR_US, _MAX_ERROR_US, STA_UNSYNC, 2, 1, _TOLERANCE, seconds, nanoseconds // NSEC_PER_USEC, _TICK_US)
    task.memory.write(addr, TIMEX.pack(modes, *clock, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    return TIME_ERROR
