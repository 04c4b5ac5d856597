"""Linux AIO contexts (io_setup(2)): requests under way and events that wait to be fetched. Linux: fs/aio.c.

As with buffered files in Linux, reads and writes are done when they are submitted; only IOCB_CMD_POLL stays under way.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sentry.sched.waitqueue import WaitQueue
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLIN
from syscalls.abi.aio import IO_EVENT

if TYPE_CHECKING:
    from sentry.fs.eventfd import EventFile
    from sentry.vfs.file import FileDescription

_PAGE, _RING_HEADER = 4096, 32
_RING_MIN: Final = 8


class PollRequest:
    """IOCB_CMD_POLL: completes once, when one of ``events`` holds."""

    __slots__ = ("_complete", "_remove", "events", "file")

    def __init__(self, file: "FileDescription", events: int, complete: Callable[[int], None]) -> None:
        self.file = file
        self.events = events | POLLERR | POLLHUP
        self._complete = complete
        self._remove: Callable[[], None] | None = None

    def start(self) -> None:
        """Watch the file, or complete at once."""
        self.file.acquire()
        self._remove = self.file.queue.enqueue(self._changed)
        self._changed(-1)

    def _changed(self, mask: int) -> None:
        found = self.file.readiness() & self.events
        if found:
            self.end(found)

    def end(self, result: int) -> None:
        """Complete with ``result``; 0 when cancelled. Idempotent."""
        remove, self._remove = self._remove, None
        if remove is not None:
            remove()
            self.file.release()
            self._complete(result)


class AioContext:
    """``address`` is its page in the guest and its name; ``wanted`` what io_setup was asked for."""

    __slots__ = ("_events", "_polls", "address", "capacity", "is_dead", "queue", "wanted")

    def __init__(self, address: int, wanted: int) -> None:
        self.address = address
        self.wanted = wanted
        slots = max(wanted, _RING_MIN) * 2 + 2
        pages = (_RING_HEADER + IO_EVENT.size * slots + _PAGE - 1) // _PAGE
        self.capacity = (pages * _PAGE - _RING_HEADER) // IO_EVENT.size - 1
        self.queue = WaitQueue()
        self.is_dead = False
        self._events: deque[bytes] = deque()
        self._polls: dict[int, PollRequest] = {}

    @property
    def has_room(self) -> bool:
        """Whether one more request has a place for its event."""
        return len(self._events) + len(self._polls) < self.capacity

    def __len__(self) -> int:
        return len(self._events)

    def complete(self, data: int, iocb: int, result: int, eventfd: "EventFile | None") -> None:
        """A request has ended."""
        if self.is_dead:
            return
        self._events.append(IO_EVENT.pack(data, iocb, result, 0))
        if eventfd is not None:
            eventfd.count = min(eventfd.count + 1, (1 << 64) - 1)
            eventfd.queue.wake(POLLIN)
        self.queue.wake()

    def poll(self, data: int, iocb: int, file: "FileDescription", events: int, eventfd: "EventFile | None") -> None:
        """Start an IOCB_CMD_POLL."""

        def complete(result: int) -> None:
            self._polls.pop(iocb, None)
            self.complete(data, iocb, result, eventfd)

        request = self._polls[iocb] = PollRequest(file, events, complete)
        request.start()

    def cancel(self, iocb: int) -> bool:
        """io_cancel(2): only polls are ever under way."""
        request = self._polls.get(iocb)
        if request is not None:
            request.end(0)
        return request is not None

    def take(self, count: int) -> list[bytes]:
        """Up to ``count`` events, the oldest first."""
        return [self._events.popleft() for _ in range(min(count, len(self._events)))]

    def put_back(self, events: list[bytes]) -> None:
        """The guest's memory has not taken them."""
        self._events.extendleft(reversed(events))

    def destroy(self) -> None:
        """io_destroy(2), or the end of the address space."""
        self.is_dead = True
        for request in list(self._polls.values()):
            request.end(0)
        self._events.clear()
        self.queue.wake()
