"""A task that sleeps in an IPC call: whoever makes its wish come true does so in its name (Linux: pipelined operations)."""

from typing import TYPE_CHECKING

from sentry.sched.wait import Restart, wait_until
from sentry.sched.waitqueue import WaitQueue
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task


class Waiter:
    """``finish`` ends the sleep with a result or -errno; the first one counts."""

    __slots__ = ("_queue", "result")

    def __init__(self) -> None:
        self._queue = WaitQueue()
        self.result: int | None = None

    def finish(self, result: int) -> None:
        """Wake the task with ``result``."""
        if self.result is None:
            self.result = result
            self._queue.wake()

    async def sleep(self, task: "Task", restart: Restart, deadline_ns: int | None = None) -> int:
        """Raises: Interrupted, TimedOut, SyscallError for a negative result."""
        result = await wait_until(task.fiber, lambda: self.result, [self._queue], deadline_ns=deadline_ns, restart=restart)
        if result < 0:
            raise SyscallError(-result)
        return result
