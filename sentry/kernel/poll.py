"""poll(2) over open file descriptions: scan, and sleep until a scan finds something. select(2) is built on it.

Linux: fs/select.c, do_poll().
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sentry.kernel.masked_wait import sleep_masked
from sentry.sched.wait import Restart, TimedOut, wait_until
from sentry.vfs.file import FileDescription
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLNVAL

if TYPE_CHECKING:
    from sentry.kernel.task import Task

_ALWAYS = POLLERR | POLLHUP


class PollSet:
    """Descriptions with the events that are wanted of each. An entry without a description is ignored, or POLLNVAL."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[tuple[FileDescription | None, int]] = []

    def add(self, file: FileDescription, events: int) -> None:
        """Watch ``file``; errors and hang-ups are always reported."""
        self._entries.append((file, events | _ALWAYS))

    def add_invalid(self) -> None:
        """A number that is not open: POLLNVAL at once."""
        self._entries.append((None, POLLNVAL))

    def add_ignored(self) -> None:
        """A negative number: nothing ever."""
        self._entries.append((None, 0))

    def scan(self) -> list[int]:
        """The events that hold now, entry by entry."""
        return [file.readiness() & events if file is not None else events for file, events in self._entries]

    async def wait(
        self, task: "Task", deadline_ns: int | None, is_ready: Callable[[list[int]], bool], sigmask: int | None = None
    ) -> list[int] | None:
        """Scan until ``is_ready(events)`` or the deadline (then the last scan, with nothing ready).

        With ``sigmask`` the call came by ``Sink.masked_request``; None tells that a signal has ended it already.
        Raises: Interrupted (restarts only if no handler ran).
        """

        def attempt() -> list[int] | None:
            events = self.scan()
            return events if is_ready(events) else None

        files = [file for file, _ in self._entries if file is not None]
        # One description may be named several times; its queue is needed once.
        queues = list({id(file.queue): file.queue for file in files}.values())
        for file in files:
            file.references += 1
        try:
            if sigmask is not None:
                return await sleep_masked(task, attempt, queues, sigmask, deadline_ns)
            return await wait_until(task.fiber, attempt, queues, deadline_ns=deadline_ns, restart=Restart.NOHAND)
        except TimedOut:
            return self.scan()
        finally:
            for file in files:
                file.release()
