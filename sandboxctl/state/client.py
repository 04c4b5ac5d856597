"""The keeper's side of one connection: what a caller asks of a sandbox (``link.py`` lists the messages)."""

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any

from sandboxctl.errors import SandboxError
from sandboxctl.state.plain import from_plain
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
        keeper = self._keeper
        match message["kind"]:
            case "start":
                keeper.release()
                self._say("done")
            case "signal":
                keeper.kill(int(message["signo"]), everyone=bool(message["everyone"]))
                self._say("done")
            case "image":
                image = keeper.session.image
                self._say("done", name=image.name, id=image.id)
            case "export":
                self._say("done", left_out=keeper.session.export_changes(fds[0]))
            case "wait":
                self._is_waiting = True
            case "exec":
                self._exec(message, fds)
            case "exec_signal" if self._command is not None:
                keeper.session.signal(self._command, int(message["signo"]))
            case "exec_resize" if self._command is not None:
                keeper.session.resize(self._command, int(message["rows"]), int(message["cols"]))
            case kind:
                raise SandboxError(f"unknown request {kind}")

    def _exec(self, message: dict[str, Any], fds: list[int]) -> None:
        if not self._keeper.is_released:
            raise SandboxError("cannot exec in a container that is not running")
        if self._command is not None:
            raise SandboxError("one exec a connection")
        command = from_plain(message["command"])
        streams = dict(zip(message["streams"], fds, strict=True))
        self._is_detached = bool(message["detach"])
        rows, columns = int(message["rows"]), int(message["cols"])
        self._command = self._keeper.session.run(command, streams, rows=rows, columns=columns, held=True)
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
