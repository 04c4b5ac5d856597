"""Try, register, try again, sleep (rule ``try-register-retry``): the one way a system call waits."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TypeVar

from sentry.sched.fiber import Fiber
from sentry.sched.park import Outcome, park
from sentry.sched.waitqueue import WaitQueue

T = TypeVar("T")


class Restart(IntEnum):
    """How an interrupted call goes on; the values are the kernel's internal error numbers (include/linux/errno.h)."""

    SYS = 512  # again if the handler has SA_RESTART, else EINTR: read, write, wait, accept
    NOINTR = 513  # always again
    NOHAND = 514  # again only if no handler ran: poll, select, pause, epoll_wait


class Interrupted(BaseException):
    """A signal ended the wait. Not an Exception, so that no handler eats it by accident."""

    def __init__(self, restart: Restart = Restart.SYS) -> None:
        self.restart = restart


class TimedOut(Exception):
    """The deadline of ``wait_until`` passed."""


async def wait_until(
    fiber: Fiber,
    attempt: Callable[[], T | None],
    queues: Sequence[WaitQueue],
    *,
    mask: int = -1,
    deadline_ns: int | None = None,
    restart: Restart = Restart.SYS,
    is_exclusive: bool = False,
) -> T:
    """Return the first result of ``attempt()`` that is not None, sleeping on ``queues`` between attempts.

    Raises: Interrupted when a signal must be handled; TimedOut when the runner's clock reaches ``deadline_ns``.
    ``attempt`` runs without a suspension between its check and its act.
    """
    result = attempt()
    if result is not None:
        return result
    removers = [queue.enqueue(fiber.wake_ready, mask, is_exclusive=is_exclusive) for queue in queues]
    timer = None
    if deadline_ns is not None:
        timer = fiber.runner.call_at(deadline_ns, lambda: fiber.wake(Outcome.TIMED_OUT))
    outcome = Outcome.READY
    try:
        while True:
            result = attempt()
            if result is not None:
                return result
            if fiber.has_interrupt:
                raise Interrupted(restart)
            if outcome is Outcome.TIMED_OUT:
                raise TimedOut
            outcome = await park()
    finally:
        for remove in removers:
            remove()
        if timer is not None:
            timer.cancel()


class Latch:
    """A one-shot result that fibers await: a reply of the gofer, the end of a task."""

    __slots__ = ("_error", "_fired", "_queue", "_value")

    def __init__(self) -> None:
        self._queue = WaitQueue()
        self._value: object = None
        self._error: BaseException | None = None
        self._fired = False

    @property
    def has_fired(self) -> bool:
        """Whether a result or an error is there."""
        return self._fired

    def fire(self, value: object = None, error: BaseException | None = None) -> None:
        """Set the result, or the error, and wake everybody. Later calls do nothing."""
        if not self._fired:
            self._fired = True
            self._value, self._error = value, error
            self._queue.wake()

    async def wait(self, fiber: Fiber, restart: Restart | None = None) -> object:
        """Return the result or raise the error. Uninterruptible unless ``restart`` says how the call restarts."""
        remove = self._queue.enqueue(fiber.wake_ready)
        try:
            while not self._fired:
                if restart is not None and fiber.has_interrupt:
                    raise Interrupted(restart)
                await park()
        finally:
            remove()
        if self._error is not None:
            raise self._error
        return self._value
