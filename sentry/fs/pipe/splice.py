"""Moving bytes between descriptions inside the kernel: splice(2), tee(2), sendfile(2). All is copied, a bounded part at a time.

Bytes that were taken from a pipe and that the other side does not take go back to the front of the pipe.
"""

from collections.abc import Callable

from sentry.fs.pipe.file import PipeFile
from sentry.kernel import io
from sentry.kernel.task import Task
from sentry.mm.usermem import BytesSink, BytesSource
from sentry.sched.wait import Interrupted, Restart, wait_until
from sentry.vfs.file import FileDescription
from sentry.vfs.readiness import POLLERR, POLLHUP, READABLE, WRITABLE
from syscalls.abi.errno import EPIPE
from syscalls.abi.errors import SyscallError, WouldBlock
from syscalls.abi.fcntl import O_NONBLOCK
from syscalls.abi.signal import SIGPIPE

CHUNK = 1 << 16


async def settle(outcome: io.Outcome) -> int:
    """The result of an I/O call that may have to wait."""
    return outcome if type(outcome) is int else await outcome  # type: ignore[misc]


async def send_file(task: Task, out: FileDescription, source: FileDescription, offset: int | None, count: int) -> tuple[int, int]:
    """sendfile(2): copy from ``source`` (seekable) to ``out``; returns (bytes, offset behind the last one).

    The current offset of ``source`` moves if ``offset`` is None. Errors: those of reading and of the first write.
    """
    position = source.offset if offset is None else offset
    done = 0
    out.acquire()
    source.acquire()
    try:
        while done < count:
            sink = BytesSink(min(CHUNK, count - done))
            if not await settle(io.pread(task, source, sink, position)):
                break
            written = await settle(io.write(task, out, BytesSource(bytes(sink.data))))
            position += written
            done += written
            if written < len(sink.data):
                break
    except SyscallError:
        if not done:
            raise
    except Interrupted:
        if not done:
            raise
    finally:
        if offset is None:
            source.offset = position
        source.release()
        out.release()
    return done, position


async def splice_out(task: Task, pipe: PipeFile, out: FileDescription, offset: int | None, count: int, *, nowait: bool) -> int:
    """Move up to ``count`` bytes from ``pipe`` to ``out``; 0 when the pipe is at its end. Errors: EAGAIN, EPIPE with SIGPIPE."""
    done = 0
    pipe.acquire()
    out.acquire()
    try:
        while done < count:
            sink = BytesSink(min(CHUNK, count - done))
            if not await _take(task, pipe, sink, nowait=nowait or done > 0):
                break
            written = await _put(task, pipe, out, sink, offset)
            done += written
            if offset is not None:
                offset += written
            if written < len(sink.data):
                break
    except SyscallError:
        if not done:
            raise
    except Interrupted:
        if not done:
            raise
    finally:
        out.release()
        pipe.release()
    return done


async def splice_in(task: Task, source: FileDescription, pipe: PipeFile, offset: int | None, count: int, *, nowait: bool) -> int:
    """Move up to ``count`` bytes from ``source`` into ``pipe``, as many as fit now. Errors: EAGAIN, EPIPE with SIGPIPE."""
    source.acquire()
    pipe.acquire()
    try:
        room = await _await_room(task, pipe, nowait=nowait)
        sink = BytesSink(min(count, room))
        if offset is not None:
            got = await settle(io.pread(task, source, sink, offset))
        else:
            got = await settle(io.read(task, source, sink))
        if not got:
            return 0
        # Another writer may have filled the pipe while the source was awaited; then this waits like any write.
        return await settle(io.write(task, pipe, BytesSource(bytes(sink.data))))
    finally:
        pipe.release()
        source.release()


async def tee(task: Task, source: PipeFile, target: PipeFile, count: int, *, nowait: bool) -> int:
    """tee(2): copy what is in ``source`` to ``target`` without consuming it. Errors: EAGAIN, EPIPE with SIGPIPE."""
    is_nonblocking = nowait or bool((source.flags | target.flags) & O_NONBLOCK)

    def attempt() -> int | None:
        if not source.pipe.length:
            return None if source.pipe.writers else 0
        _check_readers(task, target)
        done = 0
        for part, is_packet in source.pipe.peek(min(count, target.pipe.room())):
            done += target.pipe.try_write(BytesSource(part), is_packet=is_packet) or 0
        return done or None

    return await _wait(task, attempt, (source, target), is_nonblocking)


async def _take(task: Task, pipe: PipeFile, sink: BytesSink, *, nowait: bool) -> int:
    is_nonblocking = nowait or bool(pipe.flags & O_NONBLOCK)
    return await _wait(task, lambda: pipe.pipe.try_read(sink, splits_packets=True), (pipe,), is_nonblocking)


async def _put(task: Task, pipe: PipeFile, out: FileDescription, sink: BytesSink, offset: int | None) -> int:
    source = BytesSource(bytes(sink.data))
    try:
        outcome = io.write(task, out, source) if offset is None else io.pwrite(task, out, source, offset)
        written = await settle(outcome)
    except BaseException:
        pipe.pipe.push_back(bytes(sink.data))
        raise
    pipe.pipe.push_back(bytes(sink.data[written:]))
    return written


async def _await_room(task: Task, pipe: PipeFile, *, nowait: bool) -> int:
    def attempt() -> int | None:
        _check_readers(task, pipe)
        return pipe.pipe.room() or None

    return await _wait(task, attempt, (pipe,), nowait or bool(pipe.flags & O_NONBLOCK))


def _check_readers(task: Task, pipe: PipeFile) -> None:
    if not pipe.pipe.readers:
        task.kernel.signals.send_task(task, SIGPIPE)
        raise SyscallError(EPIPE)


async def _wait(task: Task, attempt: Callable[[], int | None], files: tuple[PipeFile, ...], is_nonblocking: bool) -> int:
    result = attempt()
    if result is not None:
        return result
    if is_nonblocking:
        raise WouldBlock
    for file in files:
        file.references += 1
    try:
        queues = [file.queue for file in files]
        return await wait_until(task.fiber, attempt, queues, mask=READABLE | WRITABLE | POLLERR | POLLHUP, restart=Restart.SYS)
    finally:
        for file in files:
            file.release()
