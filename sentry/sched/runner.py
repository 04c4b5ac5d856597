"""The runner: ready fibers and timers of one sentry. Single-threaded; the event loop in ``boot`` drives it.

It reads time only through the clock it is given, so that tests move time by hand.
"""

from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush

from sentry.sched.fiber import Fiber


class Timer:
    """A pending call of ``callback`` at ``deadline_ns`` on the runner's clock; ``cancel`` is idempotent."""

    __slots__ = ("_runner", "callback", "deadline_ns")

    def __init__(self, runner: "Runner", deadline_ns: int, callback: Callable[[], None]) -> None:
        self._runner = runner
        self.deadline_ns = deadline_ns
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Forget the callback."""
        if self.callback is not None:
            self.callback = None
            self._runner.note_cancelled()


class Runner:
    """Owns the ready queue and the timer heap."""

    __slots__ = ("_cancelled", "_heap", "_sequence", "current", "monotonic_ns", "ready")

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self.monotonic_ns = monotonic_ns
        self.ready: deque[Fiber] = deque()
        self.current: Fiber | None = None
        self._heap: list[tuple[int, int, Timer]] = []
        self._sequence = 0
        self._cancelled = 0

    def call_at(self, deadline_ns: int, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` once the clock has reached ``deadline_ns``; equal deadlines run in order of creation."""
        timer = Timer(self, deadline_ns, callback)
        self._sequence += 1
        heappush(self._heap, (deadline_ns, self._sequence, timer))
        return timer

    def note_cancelled(self) -> None:
        """Count a cancelled timer; the heap is rebuilt when most of it is dead, so that it stays bounded."""
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            self._heap = [item for item in self._heap if item[2].callback is not None]
            heapify(self._heap)
            self._cancelled = 0

    def next_deadline_ns(self) -> int | None:
        """The earliest pending deadline, or None."""
        heap = self._heap
        while heap:
            if heap[0][2].callback is not None:
                return heap[0][0]
            heappop(heap)
            self._cancelled -= 1
        return None

    def run_ready(self) -> None:
        """Fire the timers that are due and continue every fiber that was ready when the call began."""
        if self._heap:
            self._fire_timers()
        ready = self.ready
        for _ in range(len(ready)):
            ready.popleft().run_ready()

    def _fire_timers(self) -> None:
        now = self.monotonic_ns()
        while True:
            deadline = self.next_deadline_ns()
            if deadline is None or deadline > now:
                return
            timer = heappop(self._heap)[2]
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()
