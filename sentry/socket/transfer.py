"""Sending, receiving and accepting with all that waiting needs: flags, timeouts, partial results, SIGPIPE (send(2), recv(2))."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from sentry.sched.wait import Interrupted, Restart, TimedOut, wait_until
from sentry.socket.socket import Envelope, Receipt, Socket
from sentry.vfs.file import O_NONBLOCK
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLRDHUP, READABLE, WRITABLE
from syscalls.abi.errno import EINTR, EPIPE
from syscalls.abi.errors import SyscallError, WouldBlock
from syscalls.abi.signal import SIGPIPE
from syscalls.abi.socket import MSG_DONTWAIT, MSG_NOSIGNAL, MSG_WAITALL

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.io import Sink, Source

T = TypeVar("T")
_READ_MASK = READABLE | POLLERR | POLLHUP | POLLRDHUP
_WRITE_MASK = WRITABLE | POLLERR | POLLHUP


def send(task: "Task", socket: Socket, source: "Source", envelope: Envelope) -> int | Coroutine[Any, Any, int]:
    """Send; a coroutine where it must wait. Errors: EPIPE (with SIGPIPE for a stream), EAGAIN, and the socket's own."""
    is_nonblocking = envelope.flags & MSG_DONTWAIT or socket.flags & O_NONBLOCK
    try:
        count = socket.try_send(source, envelope)
    except SyscallError as error:
        _signal(task, socket, error, envelope)
        raise
    if count is None:
        if is_nonblocking:
            raise WouldBlock
    elif is_nonblocking or not source.remaining or not socket.is_stream:
        return count
    return _send_rest(task, socket, source, envelope, count or 0)


async def _send_rest(task: "Task", socket: Socket, source: "Source", envelope: Envelope, done: int) -> int:
    deadline = _deadline(task, socket.write_timeout_ns)
    try:
        while True:
            done += await wait(task, socket, lambda: socket.try_send(source, envelope), _WRITE_MASK, deadline)
            if not source.remaining or not socket.is_stream:
                return done
    except SyscallError as error:
        if done:
            return done
        _signal(task, socket, error, envelope)
        raise
    except Interrupted:
        if done:
            return done
        raise


def receive(task: "Task", socket: Socket, sink: "Sink", receipt: Receipt, flags: int) -> int | Coroutine[Any, Any, int]:
    """Receive; a coroutine where it must wait. Errors: EAGAIN and the socket's own."""
    is_nonblocking = flags & MSG_DONTWAIT or socket.flags & O_NONBLOCK
    receipt.is_nonblocking = bool(is_nonblocking)
    wanted = min(sink.remaining if flags & MSG_WAITALL else socket.rcvlowat, sink.remaining) if socket.is_stream else 0
    count = socket.try_receive(sink, receipt)
    if count is None:
        if is_nonblocking:
            raise WouldBlock
    elif is_nonblocking or count >= wanted or not count or receipt.is_complete or receipt.is_peek:
        return count
    return _receive_rest(task, socket, sink, receipt, wanted, count or 0)


async def _receive_rest(task: "Task", socket: Socket, sink: "Sink", receipt: Receipt, wanted: int, done: int) -> int:
    deadline = _deadline(task, socket.read_timeout_ns)
    try:
        while True:
            count = await wait(task, socket, lambda: socket.try_receive(sink, receipt), _READ_MASK, deadline)
            done += count
            if not count or done >= wanted or receipt.is_complete or receipt.is_peek:
                return done
    except (SyscallError, Interrupted):
        if done:
            return done
        raise


async def accept(task: "Task", socket: Socket) -> Socket:
    """The next connection. Errors: EAGAIN, EINTR, and the socket's own."""
    first = socket.try_accept()
    if first is not None:
        return first
    if socket.flags & O_NONBLOCK:
        raise WouldBlock
    return await wait(task, socket, socket.try_accept, _READ_MASK, _deadline(task, socket.read_timeout_ns))


async def wait(task: "Task", socket: Socket, attempt: Callable[[], T | None], mask: int, deadline_ns: int | None) -> T:
    """Sleep on ``socket`` until ``attempt`` succeeds; the descriptor may be closed meanwhile."""
    socket.references += 1
    try:
        return await wait_until(task.fiber, attempt, (socket.queue,), mask=mask, deadline_ns=deadline_ns, restart=Restart.SYS)
    except TimedOut:
        raise WouldBlock from None
    except Interrupted:
        if deadline_ns is not None:
            raise SyscallError(EINTR) from None  # a call with a timeout is never restarted (signal(7))
        raise
    finally:
        socket.release()


def _deadline(task: "Task", timeout_ns: int | None) -> int | None:
    return None if timeout_ns is None else task.kernel.runner.monotonic_ns() + timeout_ns


def _signal(task: "Task", socket: Socket, error: SyscallError, envelope: Envelope) -> None:
    if error.errno == EPIPE and socket.has_sigpipe and not envelope.flags & MSG_NOSIGNAL:
        task.kernel.signals.send_task(task, SIGPIPE)
