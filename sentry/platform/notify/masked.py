"""ppoll, pselect6 and epoll_pwait with a signal mask (kernel-facts.md 3).

The thread sleeps in a real ``ppoll(NULL, 0, timeout, mask)``, so that the host kernel swaps the mask, delivers signals and
saves the old mask in the frame. It is run from its entry stop to its exit stop; there the sentry puts the guest's own
registers back, whatever ended the sleep.
"""

from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING

from sentry.arch.x86_64 import NO_CALL, NR_PPOLL, STUB_SCRATCH
from sentry.platform.notify.context import State
from syscalls.abi.errno import EFAULT, EINTR
from syscalls.abi.errors import Fault

if TYPE_CHECKING:
    from sentry.platform.notify.context import NotifyContext
    from sentry.platform.notify.tracer import Tracer

_SLOT = Struct("<qqQ")
#: One slot per thread at the start of the stub's scratch area, by thread number: the kernel reads it within microseconds.
_SLOTS, SLOTS_LENGTH = 512, 512 * 32
_ERESTARTNOHAND = 514


class Masked:
    """Parks and unparks threads for a tracer."""

    __slots__ = ("_tracer",)

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer

    def park(self, context: "NotifyContext", sigmask: int, timeout_ns: int | None, done: Callable[[int], None]) -> None:
        """See ``Context.park_masked``. Precondition: the thread is at its mask stop."""
        if context.state is not State.MASK_STOP:
            return
        slot = STUB_SCRATCH + context.host_tid % _SLOTS * 32
        seconds, nanoseconds = divmod(max(timeout_ns or 0, 0), 1_000_000_000)
        try:
            context.memory.write(slot, _SLOT.pack(seconds, nanoseconds, sigmask & 0xFFFFFFFFFFFFFFFF))
        except Fault:
            self.unpark(context, -EFAULT)
            return
        arguments = (0, 0, 0 if timeout_ns is None else slot, slot + 16, 8, 0)
        context.state = State.PARKED
        context.parked_done = done
        context.unpark_value = None
        self._tracer.core.trace_call(context.host_tid, NR_PPOLL, arguments, 1)

    def unpark(self, context: "NotifyContext", value: int) -> None:
        """See ``Context.unpark``."""
        if context.state is State.PARKED:
            context.unpark_value = value
            self._tracer.core.trace_interrupt(context.host_tid)
        elif context.state in (State.MASK_STOP, State.PARK_ENDED):
            self._finish(context, value)

    def exit_stop(self, context: "NotifyContext", result: int) -> None:
        """The sleep is over: unparked, timed out, or interrupted by a signal."""
        if context.state is not State.PARKED:
            self._tracer.core.trace_resume(context.host_tid, 0)
            return
        done, context.parked_done = context.parked_done, None
        if context.unpark_value is not None:
            self._finish(context, context.unpark_value)
        elif result == 0:
            context.state = State.PARK_ENDED
            if done is not None:
                done(0)
        else:
            # A handler runs and the guest sees EINTR, or nothing is delivered and the guest's own call comes again.
            context.state = State.RUNNING
            nr, *arguments = context.call
            value = -_ERESTARTNOHAND if result == -EINTR else result
            self._tracer.core.trace_result(context.host_tid, value, arguments, nr, 0, 1)
            if done is not None:
                done(-EINTR)

    def _finish(self, context: "NotifyContext", value: int) -> None:
        context.state = State.RUNNING
        context.unpark_value = None
        self._tracer.core.trace_result(context.host_tid, value, list(context.call[1:7]), NO_CALL, 0, 1)
