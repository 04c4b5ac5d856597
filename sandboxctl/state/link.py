"""The keeper's socket: how other processes of ours talk to the keeper of a sandbox.

Messages are those of ``sentry/boot/control_protocol.py``: the caller sends ``start``, ``signal`` (signo, everyone), ``wait``,
``pause``, ``resume``, ``processes``, ``tasks``, ``attach`` (a socket, see ``streams.py``), ``resize``, ``rename``, ``update``
(restart, memory, pids_limit), ``stat``, ``copy_out``, ``copy_in`` (path, name; an archive's descriptor), ``image`` (answered with
name and id), ``export`` (a host file that gets the changes as a layer; answered with left_out), or ``exec`` (a command, its
streams as descriptors, detach) and then ``exec_signal`` and ``exec_resize``; the keeper answers ``done``, ``exited`` (code,
signal) or ``failed`` (exit_code, message).
"""

import os
from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM, socket
from typing import Any

from sandboxctl.errors import SandboxError
from sentry.boot.control_protocol import ChannelClosed, ControlChannel, ProtocolError

NAME = "control"


def address(folder_fd: int) -> str:
    """The socket's path, short however deep the folder lies."""
    return f"/proc/self/fd/{folder_fd}/{NAME}"


class NotRunning(SandboxError):
    """Nobody keeps that sandbox: it is stopped, or was never started."""


class Link:
    """A connection to a keeper."""

    def __init__(self, folder: str) -> None:
        """Connect. Raises NotRunning."""
        sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
        try:
            fd = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            try:
                sock.connect(address(fd))
            finally:
                os.close(fd)
        except OSError:
            sock.close()
            raise NotRunning("container not running") from None
        self.channel = ControlChannel(sock)
        self._arrived: list[dict[str, Any]] = []

    def ask(self, kind: str, fds: "list[int] | tuple[()]" = (), **fields: object) -> dict[str, Any]:
        """Send a request and return its answer. Raises SandboxError with the keeper's reason."""
        try:
            self.channel.send(kind, fds, **fields)
        except ChannelClosed:
            raise NotRunning("container not running") from None
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next message of the keeper. Raises SandboxError, NotRunning if it has gone."""
        while not self._arrived:
            try:
                self._arrived += [message for message, _fds in self.channel.receive()]
            except (ChannelClosed, ProtocolError):
                raise NotRunning("container not running: its keeper is gone") from None
        message = self._arrived.pop(0)
        if message["kind"] == "failed":
            raise SandboxError(str(message.get("message", "")), int(message.get("exit_code", 125)))
        return message

    def close(self) -> None:
        """Hang up."""
        self.channel.close()
