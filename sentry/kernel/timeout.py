"""A relative time-out in guest memory (struct timespec or timeval) that the call may update with the time left.

Linux: fs/select.c, poll_select_set_timeout(), poll_select_finish().
"""

from struct import Struct
from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import Fault, SyscallError
from syscalls.abi.time import NSEC_PER_SEC, TIMEVAL

if TYPE_CHECKING:
    from sentry.kernel.task import Task

_SECONDS_MAX = (1 << 63) // NSEC_PER_SEC - 1


def to_nanoseconds(seconds: int, fraction: int, unit_ns: int = 1) -> int:
    """A checked, saturated time. Errors: EINVAL negative or a fraction of a second or more."""
    if seconds < 0 or not 0 <= fraction * unit_ns < NSEC_PER_SEC:
        raise SyscallError(EINVAL)
    return min(seconds, _SECONDS_MAX) * NSEC_PER_SEC + fraction * unit_ns


class Timeout:
    """``deadline_ns`` is on the runner's clock, None for ever (a NULL pointer)."""

    __slots__ = ("_addr", "_layout", "_task", "deadline_ns", "is_zero")

    def __init__(self, task: "Task", addr: int, layout: Struct) -> None:
        """Read the structure at ``addr``. Errors: EFAULT, EINVAL."""
        self._task = task
        self._addr = addr
        self._layout = layout
        self.deadline_ns: int | None = None
        self.is_zero = False
        if addr:
            seconds, fraction = task.memory.read_struct(layout, addr)
            if layout is TIMEVAL:
                # Linux lets microseconds carry over here (kern_select()), and then checks.
                seconds, fraction = seconds + fraction // 1_000_000, fraction % 1_000_000
            duration = to_nanoseconds(seconds, fraction, 1000 if layout is TIMEVAL else 1)
            self.is_zero = duration == 0
            self.deadline_ns = task.kernel.runner.monotonic_ns() + duration

    def store_rest(self) -> None:
        """Store the time left, unless it was zero from the start; an unwritable place is no error."""
        if self.deadline_ns is None or self.is_zero:
            return
        rest = max(self.deadline_ns - self._task.kernel.runner.monotonic_ns(), 0)
        seconds, fraction = divmod(rest, NSEC_PER_SEC)
        if self._layout is TIMEVAL:
            fraction //= 1000
        try:
            self._task.memory.write(self._addr, self._layout.pack(seconds, fraction))
        except Fault:
            return
