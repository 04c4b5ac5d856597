"""io_getevents(2), io_pgetevents(2)."""

from collections.abc import Callable

from sentry.fs.aio import AioContext
from sentry.kernel.masked_wait import sleep_masked
from sentry.kernel.task import Task
from sentry.sched.wait import Interrupted, Restart, TimedOut, wait_until
from syscalls.abi.aio import AIO_SIGSET, IO_EVENT
from syscalls.abi.errno import EINTR, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.time import NSEC_PER_SEC, TIMESPEC
from syscalls.args import Long, ULong, UserPtr
from syscalls.fdio.io_setup import context_of
from syscalls.fdio.sigmask import read_sigmask
from syscalls.registry import masked, syscall


class _Request:
    """Events that are stored as they come; ``count`` of them so far."""

    __slots__ = ("_addr", "_least", "_most", "_task", "context", "count", "deadline_ns")

    def __init__(self, task: Task, ctx_id: int, min_nr: int, nr: int, events: int, timeout: int) -> None:
        self.deadline_ns: int | None = None
        if timeout:
            seconds, nanoseconds = task.memory.read_struct(TIMESPEC, timeout)
            self.deadline_ns = task.kernel.runner.monotonic_ns() + max(seconds * NSEC_PER_SEC + nanoseconds, 0)
        self.context: AioContext = context_of(task, ctx_id)
        if not 0 <= min_nr <= nr:
            raise SyscallError(EINVAL)
        self._task = task
        self._addr = events
        self._least = min_nr
        self._most = nr
        self.count = 0

    def attempt(self) -> int | None:
        """Store what is there; the total once it is enough. Errors: EFAULT, EINVAL the context is gone."""
        taken = self.context.take(self._most - self.count)
        if taken:
            try:
                self._task.memory.write(self._addr + self.count * IO_EVENT.size, b"".join(taken))
            except SyscallError:
                self.context.put_back(taken)
                if not self.count:
                    raise
                return self.count
            self.count += len(taken)
        if self.count >= self._least:
            return self.count
        if self.context.is_dead:
            if self.count:
                return self.count
            raise SyscallError(EINVAL)
        return None


@syscall(man="io_getevents(2)")
async def sys_io_getevents(task: Task, ctx_id: ULong, min_nr: Long, nr: Long, events: UserPtr, timeout: UserPtr) -> int:
    """Fetch at least ``min_nr`` events, unless the time is over. Errors: EFAULT, EINTR, EINVAL."""
    return await _wait(task, _Request(task, ctx_id, min_nr, nr, events, timeout))


@syscall(man="io_getevents(2)")
async def sys_io_pgetevents(
    task: Task, ctx_id: ULong, min_nr: Long, nr: Long, events: UserPtr, timeout: UserPtr, usig: UserPtr
) -> int:
    """io_getevents(2) with a signal mask (here: none). Errors: EFAULT, EINTR, EINVAL."""
    return await _wait(task, _Request(task, ctx_id, min_nr, nr, events, timeout))


async def _wait(task: Task, request: _Request) -> int:
    attempt: Callable[[], int | None] = request.attempt
    try:
        return await wait_until(
            task.fiber, attempt, [request.context.queue], deadline_ns=request.deadline_ns, restart=Restart.NOHAND
        )
    except TimedOut:
        return request.count
    except Interrupted:
        if request.count:
            return request.count
        raise SyscallError(EINTR) from None  # never restarted (signal(7))


@masked
async def masked_io_pgetevents(
    task: Task, ctx_id: ULong, min_nr: Long, nr: Long, events: UserPtr, timeout: UserPtr, usig: UserPtr
) -> int | None:
    """io_pgetevents(2) with a mask."""
    sigmask, size = task.memory.read_struct(AIO_SIGSET, usig)
    mask = read_sigmask(task, sigmask, size)
    request = _Request(task, ctx_id, min_nr, nr, events, timeout)
    try:
        return await sleep_masked(task, request.attempt, [request.context.queue], mask, request.deadline_ns)
    except TimedOut:
        return request.count
