"""The keeper's side of one connection: what a caller asks of a sandbox (``link.py`` lists the messages)."""

import contextlib
import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandboxctl.errors import SandboxError
from sandboxctl.state.plain import from_plain
from sandboxctl.state.record import PAUSED
from sentry.boot.control_protocol import ChannelClosed, ControlChannel, ProtocolError

if TYPE_CHECKING:
    from sandboxctl.session import Command
    from sandboxctl.state.keeper import Keeper


class Client:
    """A caller. One that leaves takes the command that it runs with it, unless it said ``detach``."""

    def __init__(self, channel: ControlChannel, keeper: "Keeper") -> None:
        self._channel = channel
        self._keeper = keeper
        self._command: Command | None = None
        self._is_detached = False
        self._is_waiting = False
        self._is_starting = False

    def readable(self) -> bool:
        """Carry out what has arrived; whether the caller is still there and makes sense."""
        try:
            for message, fds in self._channel.receive():
                try:
                    self._handle(message, fds)
                except SandboxError as error:
                    self._say("failed", exit_code=error.exit_code, message=str(error))
                finally:
                    for fd in fds:
                        os.close(fd)
        except (ChannelClosed, ProtocolError, KeyError, IndexError, TypeError, ValueError):
            return False
        return True

    def _handle(self, message: dict[str, Any], fds: list[int]) -> None:
        kind = message["kind"]
        keeper = self._keeper
        if kind in _SIMPLE:
            self._say("done", **_SIMPLE[kind](keeper, message))
        elif kind == "export":
            self._say("done", left_out=keeper.session.export_changes(fds[0]))
        elif kind in {"copy_out", "copy_in", "stat"}:
            self._copy(kind, message, fds)
        elif kind == "wait":
            self._is_waiting = True
        elif kind == "attach":
            self._attach(message, fds)
        elif kind == "exec":
            self._exec(message, fds)
        elif kind == "exec_signal":
            if self._command is not None:  # else it has ended
                keeper.session.signal(self._command, int(message["signo"]))
        elif kind == "exec_resize":
            if self._command is not None:
                keeper.session.resize(self._command, int(message["rows"]), int(message["cols"]))
        else:
            raise SandboxError(f"unknown request {kind}")

    def _copy(self, kind: str, message: dict[str, Any], fds: list[int]) -> None:
        if self._keeper.record.status == PAUSED:
            raise SandboxError("the sandbox is paused; see: sandboxctl unpause")
        try:
            value = self._keeper.session.copy(kind, message["path"], fds[0] if fds else -1, message["name"])
        except OSError as error:
            self._say("done", errno=error.errno or 5, value=0)
        else:
            self._say("done", errno=0, value=value)

    def _attach(self, message: dict[str, Any], fds: list[int]) -> None:
        streams = self._keeper.streams
        if streams is None:
            raise SandboxError("the engine that started this container has its streams; attach with the engine")
        streams.attach(fds.pop(0), types=bool(message["types"]), closes=bool(message["closes"]))
        self._say("done")

    def _exec(self, message: dict[str, Any], fds: list[int]) -> None:
        if self._keeper.record.status == PAUSED:
            raise SandboxError("cannot exec in a container that is paused")
        if not self._keeper.is_released:
            raise SandboxError("cannot exec in a container that is not running")
        if self._command is not None:
            raise SandboxError("one exec a connection")
        command = from_plain(message["command"])
        streams = dict(zip(message["streams"], fds, strict=True))
        self._is_detached = bool(message["detach"])
        rows, columns = int(message["rows"]), int(message["cols"])
        session, main = self._keeper.session, self._keeper.main
        self._command = session.run(command, streams, rows=rows, columns=columns, held=True, inside=main)
        self._is_starting = True

    def follow(self) -> None:
        """Tell the caller what has become of its command."""
        command = self._command
        if command is None:
            return
        if self._is_starting and command.is_prepared:
            self._is_starting = False
            self._keeper.session.release(command)
            self._say("done")
        if command.exit_code is not None:
            self._command = None
            if command.failure:
                self._say("failed", exit_code=command.exit_code, message=command.failure)
            else:
                self._say("exited", code=command.exit_code, signal=command.signal)

    def main_ended(self, code: int, signo: int) -> None:
        """The sandbox has ended, and with it everything in it."""
        if self._command is not None:
            self._say("exited", code=128 + signal.SIGKILL, signal=int(signal.SIGKILL))
        elif self._is_waiting:
            self._say("exited", code=code, signal=signo)

    def gone(self) -> None:
        """The caller has left."""
        if self._command is not None and not self._is_detached:
            self._keeper.session.signal(self._command, signal.SIGKILL, everyone=True)
        self._channel.close()

    def _say(self, kind: str, **fields: Any) -> None:
        with contextlib.suppress(ChannelClosed):  # noticed when its socket is read
            self._channel.send(kind, **fields)


Answer = dict[str, Any]


def _start(keeper: "Keeper", message: Answer) -> Answer:
    keeper.release()
    return {}


def _signal(keeper: "Keeper", message: Answer) -> Answer:
    keeper.kill(int(message["signo"]), everyone=bool(message["everyone"]), by_hand=bool(message.get("by_hand")))
    return {}


def _pause(keeper: "Keeper", message: Answer) -> Answer:
    keeper.pause()
    return {}


def _resume(keeper: "Keeper", message: Answer) -> Answer:
    keeper.resume()
    return {}


def _processes(keeper: "Keeper", message: Answer) -> Answer:
    return {"processes": keeper.session.processes()}


def _tasks(keeper: "Keeper", message: Answer) -> Answer:
    info = {name: value for name, value in keeper.session.info.items() if isinstance(value, str | int | list)}
    return {"tasks": keeper.session.tasks(), "info": info}


def _resize(keeper: "Keeper", message: Answer) -> Answer:
    keeper.session.resize(keeper.main, int(message["rows"]), int(message["cols"]))
    return {}


def _rename(keeper: "Keeper", message: Answer) -> Answer:
    keeper.change(name=str(message["name"]))
    return {}


def _update(keeper: "Keeper", message: Answer) -> Answer:
    keeper.update(message["restart"], message["memory"], message["pids_limit"])
    return {}


def _image(keeper: "Keeper", message: Answer) -> Answer:
    image = keeper.session.image
    return {"name": image.name, "id": image.id}


#: requests that are answered at once
_SIMPLE: "dict[str, Callable[[Keeper, Answer], Answer]]" = {
    "start": _start,
    "signal": _signal,
    "pause": _pause,
    "resume": _resume,
    "processes": _processes,
    "tasks": _tasks,
    "resize": _resize,
    "rename": _rename,
    "update": _update,
    "image": _image,
}
