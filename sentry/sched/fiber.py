"""A fiber: the sentry-side execution of one guest thread's current system call, or of one service.

A fiber is made once and reused: ``start`` runs a coroutine until it ends or parks. Knows nothing of Linux.
"""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from sentry.sched.park import Outcome

if TYPE_CHECKING:
    from sentry.sched.runner import Runner


class Fiber:
    """Runs one coroutine at a time on a ``Runner``.

    ``on_done(result)`` is called when a coroutine that had parked ends; ``on_error(exc)`` when it ends by an exception.
    """

    __slots__ = ("_coro", "_is_parked", "_is_queued", "_outcome", "has_interrupt", "on_done", "on_error", "owner", "runner")

    def __init__(
        self,
        runner: "Runner",
        on_done: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self.runner = runner
        self.on_done = on_done
        self.on_error = on_error
        self._coro: Coroutine[Any, Any, Any] | None = None
        self._is_parked = False
        self._is_queued = False
        self._outcome = Outcome.READY
        self.has_interrupt = False
        #: on whose behalf it runs (a Task), for file systems that show a reader itself
        self.owner: object | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a coroutine is under way."""
        return self._coro is not None

    @property
    def is_parked(self) -> bool:
        """Whether the coroutine waits for ``wake``."""
        return self._is_parked

    def stack(self) -> list[str]:
        """Where the coroutine stands, the outermost call first, as ``file:line function``; empty if it is not busy."""
        lines = []
        coro: Any = self._coro
        while coro is not None and getattr(coro, "cr_frame", None) is not None:
            frame = coro.cr_frame
            place = "/".join(frame.f_code.co_filename.rsplit("/", 3)[1:])
            lines.append(f"{place}:{frame.f_lineno} {frame.f_code.co_qualname}")
            coro = coro.cr_await
        return lines

    def start(self, coro: Coroutine[Any, Any, Any]) -> None:
        """Run ``coro`` until it ends or parks. Precondition: the fiber is not busy."""
        assert self._coro is None
        self._coro = coro
        self.has_interrupt = False
        self._step(None)

    def wake(self, outcome: Outcome = Outcome.READY) -> None:
        """Make a parked fiber ready. The first outcome wins until it has run; waking a running fiber does nothing."""
        if self._is_parked and not self._is_queued:
            self._outcome = outcome
            self._is_queued = True
            self.runner.ready.append(self)

    def wake_ready(self, mask: int = 0) -> None:
        """``wake(READY)`` in the shape that ``WaitQueue.enqueue`` calls back."""
        if self._is_parked and not self._is_queued:
            self._outcome = Outcome.READY
            self._is_queued = True
            self.runner.ready.append(self)

    def interrupt(self) -> None:
        """A signal is pending for this call: end its interruptible sleep, now or when it next wants to sleep."""
        self.has_interrupt = True
        self.wake(Outcome.INTERRUPTED)

    def cancel(self) -> None:
        """Drop the coroutine (its ``finally`` blocks run); the guest thread is gone."""
        coro, self._coro = self._coro, None
        self._is_parked = False
        if coro is not None:
            coro.close()

    def run_ready(self) -> None:
        """Continue after ``wake``; called by the runner only."""
        self._is_queued = False
        if self._is_parked:
            self._step(self._outcome)

    def _step(self, outcome: Outcome | None) -> None:
        coro = self._coro
        assert coro is not None
        runner = self.runner
        previous, runner.current = runner.current, self
        self._is_parked = False
        try:
            coro.send(outcome)
        except StopIteration as stop:
            self._coro = None
            self.on_done(stop.value)
        except BaseException as exc:  # the one owner of a coroutine's errors: handed on, never dropped
            self._coro = None
            self.on_error(exc)
        else:
            self._is_parked = True
        finally:
            runner.current = previous
