"""Requests to one gofer: many may be under way, each fiber sleeps until its own reply is complete.

The gofer is trusted for content. If it goes away every waiter gets EIO and ``on_closed`` is called once, so that ``boot`` can
stop the sandbox (fail closed).
"""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from gofer.protocol import message as m
from gofer.protocol.attr import ATTR_SIZE, STEP_SIZE, STEP_TAIL
from gofer.protocol.message import Message
from gofer.protocol.wire import FLAG_MORE, REPLY, REQUEST, VERSION
from sentry.fs.gofer.errors import guest_errno
from sentry.host.gofer_channel import ChannelClosed, GoferChannel, close_descriptor
from sentry.sched.fiber import Fiber
from sentry.sched.runner import Runner
from sentry.sched.wait import Latch
from sentry.vfs.readiness import POLLIN, POLLOUT
from syscalls.abi.errno import EIO
from syscalls.abi.errors import SyscallError

_RELEASE_BATCH: Final = 128
_RELEASE_MAX: Final = 8192  # in one frame
_HAS_OPEN: Final = frozenset((m.OPEN, m.CREATE, m.TMPFILE))


class Watch(Protocol):
    """``Platform.watch``."""

    def __call__(self, fd: int, events: int, ready: Callable[[int], None], /) -> Callable[[], None]:
        """Call ``ready`` while ``fd`` has one of ``events``; returns the stop function."""


class Reply(NamedTuple):
    """A complete reply: the bodies of its frames and the donated descriptors, which the receiver owns."""

    bodies: list[bytes]
    fds: tuple[int, ...]

    @property
    def fd(self) -> int:
        """The one descriptor, or -1."""
        return self.fds[0] if self.fds else -1


class Request:
    """A request under way."""

    __slots__ = ("bodies", "errno", "fds", "is_abandoned", "latch", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.latch = Latch()
        self.bodies: list[bytes] = []
        self.fds: tuple[int, ...] = ()
        self.errno = 0
        self.is_abandoned = False

    def fail(self, errno: int) -> None:
        """End with an error."""
        self.errno = errno
        self.latch.fire(error=SyscallError(errno))


class GoferClient:
    """The sentry's side of one gofer. Owns ``channel``."""

    def __init__(self, channel: GoferChannel, runner: Runner, watch: Watch | None, on_closed: Callable[[], None]) -> None:
        self._channel = channel
        self._runner = runner
        self._watch = watch
        self._on_closed = on_closed
        self._pending: dict[int, Request] = {}
        self._unsent: deque[bytes] = deque()
        self._next_id = 0
        self._forgotten: list[int] = []
        self._closed_opens: list[int] = []
        self._stop_writing: Callable[[], None] | None = None
        self._stop_reading = watch(channel.fd, POLLIN, self._readable) if watch is not None else None
        self.is_closed = False
        self.requests = 0

    def watch_fd(self, fd: int, ready: Callable[[], None]) -> Callable[[], None] | None:
        """Call ``ready`` while ``fd`` can be read; returns the stop function, None where there is no loop."""
        return self._watch(fd, POLLIN, lambda _: ready()) if self._watch is not None else None

    async def call(self, message: Message, *values: object) -> Reply:
        """Ask and wait for the whole reply. Errors: what the gofer answers, EIO when it is gone."""
        fiber = self._runner.current
        if fiber is None:
            return self.call_blocking(message, *values)
        return await self._finish(self._start(message, values), fiber)

    def begin(self, message: Message, *values: object) -> Request:
        """Ask, and go on: ``result`` or ``abandon`` must follow. Errors: EIO when the gofer is gone."""
        return self._start(message, values)

    async def result(self, request: Request) -> Reply:
        """Wait for the whole reply of what ``begin`` has asked. Errors: as ``call``."""
        fiber = self._runner.current
        return self._finish_blocking(request) if fiber is None else await self._finish(request, fiber)

    def abandon(self, request: Request) -> None:
        """Nobody wants the reply any more: what it brings, or has brought, is given back."""
        if not request.latch.has_fired:
            request.is_abandoned = True
        elif not request.errno:
            self._discard(request)

    def call_blocking(self, message: Message, *values: object) -> Reply:
        """``call`` without an event loop: for boot, and for tests."""
        return self._finish_blocking(self._start(message, values))

    def forget(self, node: int) -> None:
        """Give a node back, together with others, with one of the next requests. Safe in a destructor: it sends nothing."""
        self._forgotten.append(node)

    def close_open(self, number: int) -> None:
        """Let the gofer close an open file with the next request, or at ``flush_releases``. Sends nothing itself."""
        self._closed_opens.append(number)

    def flush_releases(self) -> None:
        """Send what ``forget`` and ``close_open`` have gathered."""
        forgotten, self._forgotten = self._forgotten, []
        opens, self._closed_opens = self._closed_opens, []
        if self.is_closed:
            return
        for message, numbers in ((m.FORGET, forgotten), (m.CLOSE, opens)):
            for start in range(0, len(numbers), _RELEASE_MAX):
                batch = numbers[start : start + _RELEASE_MAX]
                self._send(REQUEST.pack(0, message.op, VERSION, 0) + message.encode(batch))

    def close(self) -> None:
        """End the connection: the gofer ends too. Idempotent; ``on_closed`` is not called."""
        if not self.is_closed:
            self._shut_down()

    async def _finish(self, pending: Request, fiber: Fiber) -> Reply:
        try:
            await pending.latch.wait(fiber)
        except GeneratorExit:
            pending.is_abandoned = True
            raise
        return Reply(pending.bodies, pending.fds)

    def _finish_blocking(self, pending: Request) -> Reply:
        self._wait_blocking(pending)
        if pending.errno:
            raise SyscallError(pending.errno)
        return Reply(pending.bodies, pending.fds)

    def _start(self, message: Message, values: tuple[object, ...]) -> Request:
        if self.is_closed:
            raise SyscallError(EIO)
        self._next_id = number = self._next_id % 0xFFFFFFFF + 1
        if self._closed_opens or len(self._forgotten) >= _RELEASE_BATCH:
            self.flush_releases()
        pending = self._pending[number] = Request(message)
        self.requests += 1
        self._send(REQUEST.pack(number, message.op, VERSION, 0) + message.encode(*values))
        return pending

    def _send(self, packet: bytes) -> None:
        if self._unsent:
            self._unsent.append(packet)
            return
        try:
            if not self._channel.send(packet):
                self._unsent.append(packet)
                if self._watch is not None:
                    self._stop_writing = self._watch(self._channel.fd, POLLOUT, self._writable)
        except ChannelClosed:
            self._lost()

    def _writable(self, events: int) -> None:
        try:
            while self._unsent and self._channel.send(self._unsent[0]):
                self._unsent.popleft()
        except ChannelClosed:
            self._lost()
            return
        if not self._unsent and self._stop_writing is not None:
            self._stop_writing()
            self._stop_writing = None

    def _readable(self, events: int) -> None:
        """Take the packets that are there, as long as somebody waits for one: asking once more in vain costs 5 us."""
        receive = self._channel.receive
        try:
            while (received := receive()) is not None:
                self._take(*received)
                if self.is_closed or not self._pending:
                    return
        except ChannelClosed:
            self._lost()

    def _take(self, packet: bytes, fds: tuple[int, ...]) -> None:
        number, errno, flags = REPLY.unpack_from(packet)
        pending = self._pending.get(number)
        if pending is None:
            for fd in fds:
                close_descriptor(fd)
            return
        if fds:
            pending.fds = fds
        if flags & FLAG_MORE:
            pending.bodies.append(packet[REPLY.size :])
            return
        del self._pending[number]
        if errno:
            pending.fail(guest_errno(errno))
            return
        pending.bodies.append(packet[REPLY.size :])
        if pending.is_abandoned:
            self._discard(pending)
        else:
            pending.latch.fire()

    def _discard(self, pending: Request) -> None:
        """Nobody waits any more: give back what the reply brought."""
        for fd in pending.fds:
            close_descriptor(fd)
        body = pending.bodies[0]
        if pending.message in _HAS_OPEN:
            number = int.from_bytes(body[:4], "little")
            if number:
                self.close_open(number)
        elif pending.message is m.READDIR or pending.message is m.MKDIR:
            self.forget(int.from_bytes(body[:4], "little"))
        elif pending.message is m.WALK:
            position = 3
            while position + STEP_SIZE <= len(body):
                node, _, _, link_length = STEP_TAIL.unpack_from(body, position + ATTR_SIZE)
                position += STEP_SIZE + link_length
                if node:
                    self.forget(node)

    def _wait_blocking(self, pending: Request) -> None:
        while not pending.latch.has_fired:
            if self._unsent:
                self._channel.wait(for_room=True)
                self._writable(POLLOUT)
            else:
                self._channel.wait()
            self._readable(POLLIN)

    def _lost(self) -> None:
        if not self.is_closed:
            self._shut_down()
            self._on_closed()

    def _shut_down(self) -> None:
        self.is_closed = True
        for stop in (self._stop_reading, self._stop_writing):
            if stop is not None:
                stop()
        self._stop_reading = self._stop_writing = None
        self._channel.close()
        self._unsent.clear()
        waiting, self._pending = self._pending, {}
        for pending in waiting.values():
            for fd in pending.fds:
                close_descriptor(fd)
            pending.fail(EIO)
