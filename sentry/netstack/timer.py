"""Timers of the stack: deadlines in nanoseconds, run by ``Stack.poll``; setting one later costs no heap operation."""

import heapq
from collections.abc import Callable

_STALE_MAX = 256


class Timer:
    """One timer; ``deadline`` is None while it is off."""

    __slots__ = ("callback", "deadline", "queue", "queued_at")

    def __init__(self, queue: "TimerQueue", callback: Callable[[int], None]) -> None:
        self.queue = queue
        self.callback = callback
        self.deadline: int | None = None
        self.queued_at: int | None = None  # the earliest entry of the heap

    def set(self, deadline: int) -> None:
        """Run the callback at ``deadline`` instead of any earlier setting."""
        self.deadline = deadline
        if self.queued_at is None or deadline < self.queued_at:
            self.queue.push(self, deadline)

    def clear(self) -> None:
        """Turn it off."""
        self.deadline = None

    def cancel(self) -> None:
        """Turn it off for good: the queue lets go of what the callback holds."""
        self.deadline = None
        if self.queued_at is not None:
            self.queued_at = None
            self.queue.count_stale()


class TimerQueue:
    """The heap; an entry that is no longer its timer's earliest is stale and passed over.

    ``stale`` is how many cancelled ones may be there: when they are the most, the heap is made anew. ``on_first`` is told of each
    deadline that becomes the earliest, so that whoever drives the stack need not ask after every call.
    """

    __slots__ = ("count", "heap", "on_first", "stale")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, Timer]] = []
        self.count = 0
        self.stale = 0
        self.on_first: Callable[[int], None] | None = None

    def count_stale(self) -> None:
        """One more entry is stale."""
        self.stale += 1
        if self.stale > _STALE_MAX and self.stale * 2 > len(self.heap):
            self.heap[:] = [entry for entry in self.heap if entry[2].queued_at == entry[0]]
            heapq.heapify(self.heap)
            self.stale = 0

    def push(self, timer: Timer, deadline: int) -> None:
        """Queue a timer's entry."""
        self.count += 1
        timer.queued_at = deadline
        heapq.heappush(self.heap, (deadline, self.count, timer))
        if self.on_first is not None and self.heap[0][2] is timer:
            self.on_first(deadline)

    def run(self, now: int) -> None:
        """Call what is due."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            at, _, timer = heapq.heappop(heap)
            if timer.queued_at != at:
                continue
            timer.queued_at = None
            if timer.deadline is None:
                continue
            if timer.deadline > now:
                self.push(timer, timer.deadline)
                continue
            timer.deadline = None
            timer.callback(now)

    def next_deadline(self) -> int | None:
        """When ``run`` has something to do; None is never."""
        heap = self.heap
        while heap:
            at, _, timer = heap[0]
            if timer.queued_at == at and timer.deadline is not None:
                if timer.deadline <= at:
                    return at
                heapq.heappop(heap)
                self.push(timer, timer.deadline)
                continue
            if timer.queued_at == at:
                timer.queued_at = None
            heapq.heappop(heap)
        return None
