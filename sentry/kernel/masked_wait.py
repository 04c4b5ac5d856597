"""Waiting under a signal mask: ppoll, pselect6, epoll_pwait (kernel-facts.md 3).

The signal frame must save the old mask, so the thread sleeps in the host kernel under the new one while the sentry watches the
objects. Signals reach it there exactly; readiness and time-outs come from the sentry.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from sentry.sched.park import Outcome, park
from sentry.sched.wait import TimedOut
from sentry.sched.waitqueue import WaitQueue

if TYPE_CHECKING:
    from sentry.kernel.task import Task

T = TypeVar("T")


async def sleep_masked(
    task: "Task", attempt: Callable[[], T | None], queues: Sequence[WaitQueue], sigmask: int, deadline_ns: int | None
) -> T | None:
    """Return the first result of ``attempt()`` that is not None; None when a signal has ended the call in the host already.

    Raises: TimedOut when the runner's clock reaches ``deadline_ns``. Precondition: the call came by ``Sink.masked_request``.
    """
    fiber = task.fiber
    has_returned = False

    def done(_result: int) -> None:
        nonlocal has_returned
        has_returned = True
        if fiber.is_parked:
            # At once, not when the runner comes to it: the thread runs again and its next call needs the fiber.
            fiber.wake()
            fiber.run_ready()

    removers = [queue.enqueue(fiber.wake_ready) for queue in queues]
    timer = None
    if deadline_ns is not None:
        timer = fiber.runner.call_at(deadline_ns, lambda: fiber.wake(Outcome.TIMED_OUT))
    outcome = Outcome.READY
    try:
        result = attempt()
        if result is not None:
            return result
        task.context.park_masked(sigmask, None, done)
        while not has_returned:
            result = attempt()
            if result is not None:
                return result
            if outcome is Outcome.TIMED_OUT:
                raise TimedOut
            outcome = await park()
        return None
    finally:
        for remove in removers:
            remove()
        if timer is not None:
            timer.cancel()
