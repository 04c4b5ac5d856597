"""The client against a channel that can be full, slow or gone: what is kept, what is given back, who is told."""

import os
from collections.abc import Callable

import pytest

from gofer.protocol import message as m
from gofer.protocol.attr import ATTR_SIZE, STEP_TAIL
from gofer.protocol.wire import FLAG_MORE, REPLY, REQUEST, VERSION
from sentry.fs.gofer.client import GoferClient
from sentry.fs.gofer.errors import guest_errno
from sentry.host.gofer_channel import ChannelClosed
from sentry.sched.fiber import Fiber
from sentry.sched.runner import Runner
from sentry.vfs.readiness import POLLIN, POLLOUT
from syscalls.abi import errno as e
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.fs.gofer.mount import drive

ROOT = (1, ())


class Channel:
    """A channel in this process: ``room`` packets fit, ``incoming`` is what the gofer answers."""

    fd = 77

    def __init__(self) -> None:
        self.room = 1000
        self.sent: list[bytes] = []
        self.incoming: list[tuple[bytes, tuple[int, ...]]] = []
        self.is_gone = False
        self.closed = 0
        self.waits: list[bool] = []
        self.on_wait: Callable[[], None] = lambda: None

    def send(self, packet: bytes) -> bool:
        if self.is_gone:
            raise ChannelClosed
        if not self.room:
            return False
        self.room -= 1
        self.sent.append(packet)
        return True

    def receive(self) -> tuple[bytes, tuple[int, ...]] | None:
        if self.incoming:
            return self.incoming.pop(0)
        if self.is_gone:
            raise ChannelClosed
        return None

    def wait(self, *, for_room: bool = False) -> None:
        self.waits.append(for_room)
        self.on_wait()

    def close(self) -> None:
        self.closed += 1

    def operations(self) -> list[tuple[int, int]]:
        """(id, operation) of what was sent."""
        return [REQUEST.unpack_from(packet)[:2] for packet in self.sent]

    def releases(self, message: m.Message) -> list[list[int]]:
        """The numbers of each batch that was given back."""
        bodies = [packet for packet in self.sent if REQUEST.unpack_from(packet)[1] == message.op]
        return [list(message.decode(packet, REQUEST.size)[0]) for packet in bodies]  # type: ignore[call-overload]


class Desk:
    """A client over such a channel, with a runner for fibers."""

    def __init__(self) -> None:
        self.channel = Channel()
        self.runner = Runner(lambda: 0)
        self.watched: dict[int, Callable[[int], None]] = {}
        self.lost = 0
        self.client = GoferClient(self.channel, self.runner, self._watch, self._lost)  # type: ignore[arg-type]

    def _watch(self, fd: int, events: int, ready: Callable[[int], None]) -> Callable[[], None]:
        assert fd == Channel.fd
        self.watched[events] = ready
        return lambda: self.watched.pop(events) and None

    def _lost(self) -> None:
        self.lost += 1

    def ask(self, message: m.Message = m.FSYNC, *values: object) -> tuple[Fiber, list[object]]:
        """A fiber that calls; the list gets its reply or its error."""
        result: list[object] = []
        fiber = Fiber(self.runner, result.append, result.append)
        fiber.start(self.client.call(message, *(values or (1, 0))))
        return fiber, result

    def answer(self, number: int, body: bytes = b"", errno: int = 0, flags: int = 0, fds: tuple[int, ...] = ()) -> None:
        self.channel.incoming.append((REPLY.pack(number, errno, flags) + body, fds))

    def run(self) -> None:
        self.watched[POLLIN](POLLIN)
        self.runner.run_ready()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def descriptor() -> int:
    return os.open("/dev/null", os.O_RDONLY)


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def step(node: int, link: bytes = b"") -> bytes:
    return bytes(ATTR_SIZE) + STEP_TAIL.pack(node, 0, 0, len(link)) + link


def test_requests_have_numbers_a_version_and_their_fields(desk: Desk) -> None:
    desk.ask()
    desk.ask(m.GETATTR, ROOT, 5)
    assert desk.channel.operations() == [(1, m.FSYNC.op), (2, m.GETATTR.op)]
    assert REQUEST.unpack_from(desk.channel.sent[0])[2:] == (VERSION, 0)
    assert m.GETATTR.decode(desk.channel.sent[1], REQUEST.size) == [ROOT, 5]
    assert desk.client.requests == 2


def test_numbers_begin_anew_at_one(desk: Desk) -> None:
    desk.client._next_id = 0xFFFFFFFE
    for _ in range(3):
        desk.ask()
    assert [number for number, _ in desk.channel.operations()] == [0xFFFFFFFF, 1, 2]


def test_replies_in_another_order_and_in_parts(desk: Desk) -> None:
    (_, first), (_, second), (_, third) = (desk.ask() for _ in range(3))
    fd = descriptor()
    desk.answer(2, b"two")
    desk.answer(1, b"a", flags=FLAG_MORE, fds=(fd,))
    desk.answer(3, errno=e.ENOENT)
    desk.run()
    assert (first, second[0].bodies, second[0].fd, third[0].errno) == ([], [b"two"], -1, e.ENOENT)  # type: ignore[attr-defined]
    desk.answer(1, b"b")
    desk.run()
    assert (first[0].bodies, first[0].fds, first[0].fd) == ([b"a", b"b"], (fd,), fd)  # type: ignore[attr-defined]
    assert is_open(fd)
    os.close(fd)


def test_a_reply_that_nobody_asked_for_leaves_no_descriptor(desk: Desk) -> None:
    _, result = desk.ask()
    fd = descriptor()
    desk.answer(9, fds=(fd,))
    desk.answer(1)
    desk.run()
    assert result
    assert not is_open(fd)


def test_reading_stops_when_nobody_waits(desk: Desk) -> None:
    desk.ask()
    desk.answer(1)
    desk.answer(7)
    desk.run()
    assert len(desk.channel.incoming) == 1


@pytest.mark.parametrize(
    ("host", "guest"),
    [(e.ENOENT, e.ENOENT), (e.ENOSPC, e.ENOSPC), (e.EMFILE, e.ENFILE), (e.ENOSYS, e.EIO), (e.EBADF, e.EIO), (9999, e.EIO)],
)
def test_errors_of_the_host(desk: Desk, host: int, guest: int) -> None:
    assert guest_errno(host) == guest
    _, result = desk.ask()
    desk.answer(1, errno=host)
    desk.run()
    assert result[0].errno == guest  # type: ignore[attr-defined]


def test_a_full_socket_keeps_the_order(desk: Desk) -> None:
    desk.channel.room = 1
    results = [desk.ask()[1] for _ in range(4)]
    assert len(desk.channel.sent) == 1
    assert POLLOUT in desk.watched
    desk.channel.room = 2
    desk.watched[POLLOUT](POLLOUT)
    assert POLLOUT in desk.watched
    desk.ask()
    assert len(desk.channel.sent) == 3  # what waits comes first
    desk.channel.room = 100
    desk.watched[POLLOUT](POLLOUT)
    assert POLLOUT not in desk.watched
    assert [number for number, _ in desk.channel.operations()] == [1, 2, 3, 4, 5]
    desk.ask()
    assert len(desk.channel.sent) == 6
    for number in range(1, 5):
        desk.answer(number)
    desk.run()
    assert all(results)


@pytest.mark.parametrize("how", ["receive", "send", "write later"])
def test_a_gofer_that_is_gone(desk: Desk, how: str) -> None:
    fd = descriptor()
    desk.channel.room = 1
    _, first = desk.ask()
    desk.answer(1, b"part", flags=FLAG_MORE, fds=(fd,))
    desk.run()
    if how == "send":
        desk.channel.is_gone = True
        _, second = desk.ask()
        desk.runner.run_ready()
    else:
        _, second = desk.ask()
        desk.channel.is_gone = True
        desk.watched[POLLIN if how == "receive" else POLLOUT](0)
        desk.runner.run_ready()
    assert [first[0].errno, second[0].errno] == [e.EIO, e.EIO]  # type: ignore[attr-defined]
    assert (desk.lost, desk.channel.closed, desk.client.is_closed, desk.watched) == (1, 1, True, {})
    assert not is_open(fd)
    _, third = desk.ask()
    assert third[0].errno == e.EIO  # type: ignore[attr-defined]
    desk.client.forget(3)
    desk.client.flush_releases()
    desk.client.close()
    assert (desk.lost, desk.channel.closed) == (1, 1)


def test_closing_tells_nobody(desk: Desk) -> None:
    _, result = desk.ask()
    desk.client.close()
    desk.runner.run_ready()
    assert result[0].errno == e.EIO  # type: ignore[attr-defined]
    assert (desk.lost, desk.channel.closed, desk.watched) == (0, 1, {})


def test_nodes_are_given_back_in_batches(desk: Desk) -> None:
    for node in range(127):
        desk.client.forget(node)
    desk.ask()
    assert desk.channel.releases(m.FORGET) == []
    desk.client.forget(127)
    desk.ask()
    assert desk.channel.releases(m.FORGET) == [list(range(128))]
    assert desk.channel.operations()[1] == (0, m.FORGET.op)  # before the request, and without a number
    for node in range(8193):
        desk.client.forget(node)
    desk.client.close_open(5)
    desk.client.flush_releases()
    assert [len(batch) for batch in desk.channel.releases(m.FORGET)] == [128, 8192, 1]
    assert desk.channel.releases(m.CLOSE) == [[5]]
    desk.client.flush_releases()
    assert len(desk.channel.sent) == 6


def test_an_open_file_is_closed_before_the_next_request(desk: Desk) -> None:
    desk.client.close_open(4)
    assert desk.channel.sent == []
    desk.ask()
    assert desk.channel.operations() == [(0, m.CLOSE.op), (1, m.FSYNC.op)]


# (message, its fields, reply, opens given back, nodes given back)
UNWANTED = [
    (m.OPEN, (ROOT, 0), (6).to_bytes(4, "little") + bytes(ATTR_SIZE), [[6]], []),
    (m.OPEN, (ROOT, 0), bytes(4 + ATTR_SIZE), [], []),
    (m.CREATE, (ROOT, b"f", 0, 0, 0), (7).to_bytes(4, "little"), [[7]], []),
    (m.TMPFILE, (ROOT, 0, 0, 0), (8).to_bytes(4, "little"), [[8]], []),
    (m.READDIR, (ROOT,), (9).to_bytes(4, "little") + bytes(4), [], [[9]]),
    (m.MKDIR, (ROOT, b"d", 0, 0, 0), (10).to_bytes(4, "little") + bytes(4), [], [[10]]),
    (m.WALK, ((1, (b"a",)),), bytes(3) + step(11) + step(0, b"link") + step(12), [], [[11, 12]]),
    (m.WALK, ((1, (b"a",)),), bytes(3), [], []),
    (m.GETATTR, (ROOT, 0), bytes(ATTR_SIZE), [], []),
]


@pytest.mark.parametrize("when", ["cancelled", "abandoned before", "abandoned after"])
@pytest.mark.parametrize(
    ("message", "values", "body", "opens", "nodes"),
    UNWANTED,
    ids=[row[0].name + str(index) for index, row in enumerate(UNWANTED)],
)
def test_what_nobody_wants_any_more(desk: Desk, message, values, body, opens, nodes, when: str) -> None:  # type: ignore[no-untyped-def]
    fd = descriptor()
    if when == "cancelled":
        fiber, _ = desk.ask(message, *values)
        fiber.cancel()
    else:
        request = desk.client.begin(message, *values)
        if when == "abandoned before":
            desk.client.abandon(request)
    desk.answer(1, body, fds=(fd,))
    desk.run()
    if when == "abandoned after":
        assert is_open(fd)
        desk.client.abandon(request)
    assert not is_open(fd)
    desk.client.flush_releases()
    assert desk.channel.releases(m.CLOSE) == opens
    assert desk.channel.releases(m.FORGET) == nodes


def test_an_error_that_nobody_wants(desk: Desk) -> None:
    request = desk.client.begin(m.OPEN, ROOT, 0)
    desk.answer(1, errno=e.ENOENT)
    desk.run()
    desk.client.abandon(request)
    desk.client.flush_releases()
    assert desk.channel.releases(m.CLOSE) == []


def test_begin_and_result(desk: Desk) -> None:
    request = desk.client.begin(m.FSYNC, 1, 0)
    failing = desk.client.begin(m.FSYNC, 1, 0)
    desk.answer(1, b"x")
    desk.answer(2, errno=e.ENOSPC)
    desk.run()
    assert drive(desk.client.result(request)).bodies == [b"x"]
    with pytest.raises(SyscallError) as caught:
        drive(desk.client.result(failing))
    assert caught.value.errno == e.ENOSPC


def test_without_a_fiber_the_caller_blocks(desk: Desk) -> None:
    desk.channel.on_wait = lambda: desk.answer(1, b"done")
    assert drive(desk.client.call(m.FSYNC, 1, 0)).bodies == [b"done"]
    assert desk.channel.waits == [False]
    desk.channel.room = 0

    def make_room() -> None:
        desk.channel.room = 5
        desk.answer(2, errno=e.EROFS)

    desk.channel.on_wait = make_room
    with pytest.raises(SyscallError) as caught:
        desk.client.call_blocking(m.FSYNC, 1, 0)
    assert caught.value.errno == e.EROFS
    assert desk.channel.waits[1] is True
    assert POLLOUT not in desk.watched
