"""The I/O layer: read(2), write(2) and their kin over an open file description.

Here live the rules that all files share: the offset of seekable files, O_APPEND, O_NONBLOCK, waiting and restarting, partial
results, SIGPIPE, RLIMIT_FSIZE. Each entry is a plain function that returns the result, or a coroutine when it has to wait, so
that the common case costs no suspension.

Linux: fs/read_write.c, vfs_read(), vfs_write().
"""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from sentry.sched.wait import Interrupted, Restart, TimedOut, wait_until
from sentry.vfs.file import O_APPEND, O_NONBLOCK, FileDescription
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLRDHUP, READABLE, WRITABLE
from syscalls.abi.errno import EFBIG, EINTR, EINVAL, EPIPE, ESPIPE
from syscalls.abi.errors import SyscallError, WouldBlock
from syscalls.abi.resource import RLIM_INFINITY, RLIMIT_FSIZE
from syscalls.abi.signal import SIGPIPE, SIGXFSZ

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.io import Sink, Source

OFFSET_MAX = (1 << 63) - 1
APPEND = -1
_UNLIMITED = (RLIM_INFINITY, RLIM_INFINITY)
_WAKES_READER = READABLE | POLLERR | POLLHUP | POLLRDHUP
_WAKES_WRITER = WRITABLE | POLLERR | POLLHUP

Outcome = int | Coroutine[Any, Any, int]


class CappedSource:
    """A source of which only the first ``remaining`` bytes may be taken (RLIMIT_FSIZE, splice)."""

    __slots__ = ("_source", "remaining")

    def __init__(self, source: "Source", limit: int) -> None:
        self._source = source
        self.remaining = min(limit, source.remaining)

    def take(self, length: int) -> bytes:
        """See ``Source.take``."""
        data = self._source.take(min(length, self.remaining))
        self.remaining -= len(data)
        return data

    def peek(self, length: int) -> bytes:
        """See ``Source.peek``."""
        return self._source.peek(min(length, self.remaining))

    def take_to_host(self, fd: int, offset: int, length: int) -> int:
        """See ``Source.take_to_host``."""
        count = self._source.take_to_host(fd, offset, min(length, self.remaining))
        self.remaining -= count
        return count


def read(task: "Task", file: FileDescription, sink: "Sink", *, nowait: bool = False) -> Outcome:
    """read(2) at the description's own offset. Errors: what ``try_read`` raises, EAGAIN, EINTR."""
    if file.is_remote or file.has_job_control or file.is_caller_bound:
        return _read_slow(task, file, sink, nowait)
    if file.is_seekable:
        offset = file.offset
        count = file.try_read(sink, offset)
        if count:
            file.offset = offset + count
    else:
        count = file.try_read(sink, 0)
    if count is not None:
        return count
    if nowait or file.flags & O_NONBLOCK:
        raise WouldBlock
    return _read_waiting(task, file, sink)


def pread(task: "Task", file: FileDescription, sink: "Sink", offset: int, *, nowait: bool = False) -> Outcome:
    """pread(2): like ``read`` at ``offset``. Errors: ESPIPE, EINVAL negative offset or an end beyond the largest."""
    check_positional(file, offset, sink.remaining)
    if file.is_remote:
        if nowait:
            raise WouldBlock
        return _pread_remote(file, sink, offset)
    count = file.try_read(sink, offset)
    if count is not None:
        return count
    if nowait or file.flags & O_NONBLOCK:
        raise WouldBlock
    return _wait(task, file, lambda: file.try_read(sink, offset), is_write=False)


def write(task: "Task", file: FileDescription, source: "Source", *, nowait: bool = False, append: bool = False) -> Outcome:
    """write(2) at the description's own offset, or at the end for O_APPEND. Errors: EPIPE with SIGPIPE, EFBIG with SIGXFSZ."""
    if file.is_seekable:
        return _write_seekable(task, file, source, nowait, append)
    if file.is_remote or file.has_job_control:
        return _write_slow(task, file, source, nowait)
    try:
        count = file.try_write(source, 0)
    except SyscallError as error:
        if error.errno == EPIPE and file.has_sigpipe:
            task.kernel.signals.send_task(task, SIGPIPE)
        raise
    is_nonblocking = nowait or file.flags & O_NONBLOCK
    if count is not None:
        if is_nonblocking or not source.remaining or not file.is_stream:
            return count
    elif is_nonblocking:
        raise WouldBlock
    return _write_waiting(task, file, source, count or 0)


def pwrite(
    task: "Task",
    file: FileDescription,
    source: "Source",
    offset: int,
    *,
    nowait: bool = False,
    append: bool = False,
    is_plain: bool = False,
) -> Outcome:
    """pwrite(2): like ``write`` at ``offset``; a file opened with O_APPEND appends all the same (pwrite(2), BUGS), unless
    ``is_plain`` (RWF_NOAPPEND)."""
    check_positional(file, offset, source.remaining)
    if append or (file.flags & O_APPEND and not is_plain):
        offset = APPEND
    source = _limit_size(task, file, source, offset)
    if file.is_remote:
        if nowait:
            raise WouldBlock
        return _pwrite_remote(file, source, offset)
    count = file.try_write(source, offset)
    if count is not None:
        return count
    if nowait or file.flags & O_NONBLOCK:
        raise WouldBlock
    return _wait(task, file, lambda: file.try_write(source, offset), is_write=True)


def check_positional(file: FileDescription, offset: int, length: int) -> None:
    """Errors: EINVAL negative offset, or the end is beyond the largest one (man page: EOVERFLOW); ESPIPE not seekable."""
    if offset < 0:
        raise SyscallError(EINVAL)
    if not file.is_seekable:
        raise SyscallError(ESPIPE)
    if offset + length > OFFSET_MAX:
        raise SyscallError(EINVAL)


def _limit_size(task: "Task", file: FileDescription, source: "Source", offset: int) -> "Source":
    """Apply RLIMIT_FSIZE to a write at ``offset``. Errors: EFBIG with SIGXFSZ at the limit."""
    limit = task.group.limits.get(RLIMIT_FSIZE, _UNLIMITED)[0]
    if limit == RLIM_INFINITY or not source.remaining:
        return source
    if offset == APPEND:
        offset = file.inode.attr.size
    if offset >= limit:
        task.kernel.signals.send_task(task, SIGXFSZ)
        raise SyscallError(EFBIG)
    return CappedSource(source, limit - offset) if offset + source.remaining > limit else source


def _write_seekable(task: "Task", file: FileDescription, source: "Source", nowait: bool, append: bool) -> Outcome:
    is_append = append or file.flags & O_APPEND
    offset = APPEND if is_append else file.offset
    if RLIMIT_FSIZE in task.group.limits:
        source = _limit_size(task, file, source, offset)
    if file.is_remote:
        if nowait:
            raise WouldBlock
        return _write_remote(task, file, source, offset)
    count = file.try_write(source, offset)
    if count is None:
        if nowait or file.flags & O_NONBLOCK:
            raise WouldBlock
        return _write_seekable_waiting(task, file, source, offset)
    if count:
        file.offset = file.inode.attr.size if is_append else offset + count
    return count


async def _write_seekable_waiting(task: "Task", file: FileDescription, source: "Source", offset: int) -> int:
    count = await _wait(task, file, lambda: file.try_write(source, offset), is_write=True)
    file.offset = file.inode.attr.size if offset == APPEND else offset + count
    return count


class PositionLock:
    """Serialises remote I/O that moves one offset (Linux: f_pos_lock): first come, first served."""

    __slots__ = ("_holders",)

    def __init__(self) -> None:
        self._holders = 0

    @property
    def is_held(self) -> bool:
        """Whether somebody is between ``take`` and ``give``."""
        return self._holders > 0

    def take(self) -> None:
        """Enter; precondition: not held."""
        assert not self._holders
        self._holders = 1

    def give(self) -> None:
        """Leave."""
        self._holders = 0


async def _with_position(task: "Task", file: FileDescription, act: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run ``act`` while no other call moves the offset of ``file``."""
    lock = file.position_lock
    if lock is None:
        lock = file.position_lock = PositionLock()
    assert isinstance(lock, PositionLock)
    held = lock

    def enter() -> bool | None:
        if held.is_held:
            return None
        held.take()
        return True

    await wait_until(task.fiber, enter, [file.queue])
    try:
        return await act()
    finally:
        held.give()
        file.queue.wake()


async def _read_slow(task: "Task", file: FileDescription, sink: "Sink", nowait: bool) -> int:
    file.acquire()
    try:
        if file.is_remote:
            if nowait:
                raise WouldBlock
            return await _with_position(task, file, lambda: _read_remote(file, sink))

        if file.is_caller_bound:
            return await _read_bound(task, file, sink, nowait)

        def attempt() -> int | None:
            file.before_read(task)
            return file.try_read(sink, 0)

        count = attempt()
        if count is not None:
            return count
        if nowait or file.flags & O_NONBLOCK:
            raise WouldBlock
        return await _wait(task, file, attempt, is_write=False)
    finally:
        file.release()


async def _read_remote(file: FileDescription, sink: "Sink") -> int:
    offset = file.offset if file.is_seekable else 0
    count = await file.read_remote(sink, offset)
    if file.is_seekable:
        file.offset = offset + count
    return count


async def _read_bound(task: "Task", file: FileDescription, sink: "Sink", nowait: bool) -> int:
    while True:
        count = await file.read_as(task, sink)
        if count is not None:
            return count
        if nowait or file.flags & O_NONBLOCK:
            raise WouldBlock
        await wait_until(task.fiber, lambda: file.readiness() or None, [file.queue], mask=_WAKES_READER)


async def _pread_remote(file: FileDescription, sink: "Sink", offset: int) -> int:
    file.acquire()
    try:
        return await file.read_remote(sink, offset)
    finally:
        file.release()


async def _write_slow(task: "Task", file: FileDescription, source: "Source", nowait: bool) -> int:
    file.acquire()
    try:
        if file.is_remote:
            if nowait:
                raise WouldBlock
            return await file.write_remote(source, 0)
        file.before_write(task)
        count = file.try_write(source, 0)
        if count is not None and (not source.remaining or not file.is_stream or file.flags & O_NONBLOCK):
            return count
        if count is None and file.flags & O_NONBLOCK:
            raise WouldBlock
        return await _write_waiting(task, file, source, count or 0)
    finally:
        file.release()


async def _write_remote(task: "Task", file: FileDescription, source: "Source", offset: int) -> int:
    async def act() -> int:
        at = file.offset if offset != APPEND else APPEND
        count = await file.write_remote(source, at)
        file.offset = file.inode.attr.size if at == APPEND else at + count
        return count

    file.acquire()
    try:
        return await _with_position(task, file, act)
    finally:
        file.release()


async def _pwrite_remote(file: FileDescription, source: "Source", offset: int) -> int:
    file.acquire()
    try:
        return await file.write_remote(source, offset)
    finally:
        file.release()


async def _read_waiting(task: "Task", file: FileDescription, sink: "Sink") -> int:
    if not file.is_seekable:
        return await _wait(task, file, lambda: file.try_read(sink, 0), is_write=False)
    count = await _wait(task, file, lambda: file.try_read(sink, file.offset), is_write=False)
    file.offset += count
    return count


async def _write_waiting(task: "Task", file: FileDescription, source: "Source", done: int) -> int:
    """Go on until all is taken; an error or a signal after the first byte ends the call with the count (write(2))."""
    try:
        while True:
            done += await _wait(task, file, lambda: file.try_write(source, 0), is_write=True)
            if not source.remaining or not file.is_stream:
                return done
    except SyscallError as error:
        if error.errno == EPIPE and file.has_sigpipe:
            task.kernel.signals.send_task(task, SIGPIPE)
        if done:
            return done
        raise
    except Interrupted:
        if done:
            return done
        raise


async def _wait(task: "Task", file: FileDescription, attempt: Callable[[], int | None], *, is_write: bool) -> int:
    """Sleep on ``file`` until ``attempt`` succeeds. The description stays open meanwhile, as under Linux's fdget()."""
    timeout = file.write_timeout_ns if is_write else file.read_timeout_ns
    deadline = None if timeout is None else task.kernel.runner.monotonic_ns() + timeout
    file.references += 1
    try:
        return await wait_until(
            task.fiber,
            attempt,
            (file.queue,),
            mask=_WAKES_WRITER if is_write else _WAKES_READER,
            deadline_ns=deadline,
            restart=Restart.SYS,
        )
    except TimedOut:
        raise WouldBlock from None
    except Interrupted:
        if deadline is not None:
            raise SyscallError(EINTR) from None  # a call with a timeout is never restarted (signal(7))
        raise
    finally:
        file.release()
