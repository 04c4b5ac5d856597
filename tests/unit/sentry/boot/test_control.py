"""The sentry's side of the control socket: whatever comes through it, the caller hears how it ended."""

import os
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from sentry.boot.control import ControlServer
from sentry.boot.control_protocol import ControlChannel


class Container:
    """Keeps what the caller asks of a running program."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.spec = SimpleNamespace(terminal=SimpleNamespace(resize=lambda *size: self.asked.append(("resize", *size))))

    def start(self) -> None:
        self.asked.append(("start",))

    def release(self) -> None:
        self.asked.append(("release",))

    def signal(self, signo: int, *, everyone: bool) -> None:
        self.asked.append(("signal", signo, everyone))


class Sandbox:
    """As much of a sandbox as the control socket sees."""

    def __init__(self) -> None:
        self.stops = 0
        self.is_done = False
        self.container = Container()
        self.on_exit: Callable[[int, int], None] = lambda status, errno: None
        self.on_failed: Callable[[str], None] = lambda text: None
        self.readable: Callable[[int], None] = lambda revents: None
        self.platform = SimpleNamespace(name="fake", layers={"seccomp"}, watch=self._watch)
        self.config = {"profile": "default"}

    def _watch(self, fd: int, events: int, readable: Callable[[int], None]) -> None:
        self.readable = readable

    def new_container(
        self, message: dict[str, Any], fds: list[int], on_exit: Any, on_failed: Any, *prepared: Callable[[], None]
    ) -> Container:
        self.on_exit, self.on_failed = on_exit, on_failed
        return self.container

    def report(self, what: str) -> dict[str, Any]:
        return {what: {"proceeds": {"read": 2}}[what]}

    def stop(self) -> None:
        self.stops += 1
        self.is_done = True


class Caller:
    """The other end of the socket."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.channel = ControlChannel(ours)
        self.sandbox = Sandbox()
        self._theirs = ControlChannel(theirs)
        self.server = ControlServer(self._theirs, self.sandbox)  # type: ignore[arg-type]
        self.server.announce()

    def say(self, kind: str, **fields: object) -> None:
        self.channel.send(kind, **fields)
        self.sandbox.readable(1)

    def heard(self) -> list[dict[str, Any]]:
        return [message for message, _ in self.channel.receive()]

    def close(self) -> None:
        self.channel.close()
        self._theirs.close()


@pytest.fixture
def caller() -> Iterator[Caller]:
    caller = Caller()
    assert [message["kind"] for message in caller.heard()] == ["started"]
    yield caller
    caller.close()


def test_a_program_is_started_signalled_resized_and_released(caller: Caller) -> None:
    caller.say("run", id=7, argv=[b"true"])
    caller.say("signal", id=7, signo=15, everyone=True)
    caller.say("resize", id=7, rows=3, cols=4)
    caller.say("release", id=7)
    assert caller.sandbox.container.asked == [("start",), ("signal", 15, True), ("resize", 3, 4), ("release",)]


@pytest.mark.parametrize(
    ("status", "code", "signal"), [(0, 0, 0), (3 << 8, 3, 0), (9, 0, 9), (0x80 | 11, 0, 11), (255 << 8, 255, 0)]
)
def test_the_end_is_told_once(caller: Caller, status: int, code: int, signal: int) -> None:
    caller.say("run", id=1, argv=[b"true"])
    caller.sandbox.on_exit(status, 0)
    (message,) = caller.heard()
    assert (message["kind"], message["id"], message["code"], message["signal"]) == ("exited", 1, code, signal)
    caller.say("signal", id=1, signo=15, everyone=False)
    assert caller.sandbox.container.asked == [("start",)]


@pytest.mark.parametrize(
    ("name", "errno", "code", "text"),
    [
        (b"nope", 2, 127, "nope: executable file not found in $PATH"),
        (b"/nope", 2, 127, "/nope: no such file or directory"),
        (b"/a/b", 20, 127, "/a/b: no such file or directory"),
        (b"/etc/passwd", 13, 126, "/etc/passwd: cannot execute: EACCES"),
        (b"/bin/big", 12, 125, "/bin/big: not enough memory; raise --memory"),
    ],
)
def test_what_cannot_be_executed(caller: Caller, name: bytes, errno: int, code: int, text: str) -> None:
    caller.say("run", id=1, argv=[name])
    caller.sandbox.on_exit(0, errno)
    (message,) = caller.heard()
    assert (message["kind"], message["exit_code"], message["message"]) == ("failed", code, text)


def test_a_program_whose_jail_failed(caller: Caller) -> None:
    caller.say("run", id=1, argv=[b"true"])
    caller.sandbox.on_failed("no jail")
    (message,) = caller.heard()
    assert (message["kind"], message["id"], message["exit_code"], message["message"]) == ("failed", 1, 125, "no jail")


@pytest.mark.parametrize(
    "fields", [{"kind": "dance"}, {"kind": "signal"}, {"kind": "release"}, {"kind": "query", "what": "census"}]
)
def test_nonsense_ends_the_sandbox_and_says_so(caller: Caller, fields: dict[str, Any]) -> None:
    """An unknown kind, keys that are missing, and a fault of our own (this sandbox has no census)."""
    caller.say(**fields)
    (message,) = caller.heard()
    assert (message["kind"], message["id"], message["exit_code"]) == ("failed", -1, 125)
    assert caller.sandbox.stops == 1


def test_signals_to_unknown_programs_are_nothing(caller: Caller) -> None:
    caller.say("signal", id=9, signo=15, everyone=True)
    caller.say("resize", id=9, rows=1, cols=1)
    assert (caller.sandbox.container.asked, caller.sandbox.stops) == ([], 0)


def test_a_query_is_answered(caller: Caller) -> None:
    caller.say("query", what="proceeds")
    (message,) = caller.heard()
    assert (message["kind"], message["what"], message["proceeds"]) == ("answer", "proceeds", {"read": 2})


def test_a_caller_that_is_gone_ends_the_sandbox(caller: Caller) -> None:
    caller.channel.close()
    caller.sandbox.readable(1)
    assert caller.sandbox.stops == 1


def test_export_writes_into_the_callers_descriptor_and_closes_it(caller: Caller) -> None:
    from sentry.sched.runner import Runner

    caller.sandbox.runner = Runner(lambda: 0)  # type: ignore[attr-defined]
    caller.sandbox.broken = lambda fiber, error: None  # type: ignore[attr-defined]

    async def export(fd: int) -> int:
        os.write(fd, b"tar")
        return 2

    caller.sandbox.export_changes = export  # type: ignore[attr-defined]
    reader, writer = os.pipe()
    caller.channel.send("export", [writer], id=4)
    os.close(writer)
    caller.sandbox.readable(1)
    (message,) = caller.heard()
    assert (message["kind"], message["id"], message["errno"], message["left_out"]) == ("exported", 4, 0, 2)
    assert os.read(reader, 10) + os.read(reader, 10) == b"tar"
    os.close(reader)
