"""The sentry's side of the control socket: start programs, pass signals on, report ends.

The messages are listed in docs/architecture.md, "Control socket".
"""

import logging
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from sentry.boot.control_protocol import ChannelClosed, ControlChannel, ProtocolError
from sentry.host.regular_file import HostFd, close
from sentry.sched.fiber import Fiber
from sentry.vfs.readiness import POLLHUP, POLLIN
from syscalls.abi import errno as errnos
from syscalls.abi.errno import ENOENT, ENOMEM, ENOTDIR
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sentry.boot.container import Container
    from sentry.boot.sandbox import Sandbox

log = logging.getLogger(__name__)

EXIT_SANDBOX_ERROR, EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND = 125, 126, 127


class ControlServer:
    """Carries out the caller's messages. A caller that is gone or talks nonsense ends the sandbox."""

    def __init__(self, channel: ControlChannel, sandbox: "Sandbox") -> None:
        self._channel = channel
        self._sandbox = sandbox
        self._containers: dict[int, Container] = {}
        self._inbox: deque[tuple[dict[str, Any], list[int]]] = deque()

    def announce(self) -> None:
        """Tell the caller that the sandbox is up, and listen."""
        sandbox = self._sandbox
        platform = sandbox.platform
        self._send(
            "started",
            platform=platform.name,
            profile=sandbox.config["profile"],
            layers=sorted(platform.layers),
            missing=[],
            pid_namespace="pidns" in platform.layers,
            trap_ns=0,
        )
        platform.watch(self._channel.fileno(), POLLIN | POLLHUP, self._readable)  # type: ignore[arg-type]

    def failed(self, message: str) -> None:
        """The sandbox as a whole has failed."""
        self._send("failed", id=-1, exit_code=EXIT_SANDBOX_ERROR, message=message)

    def log_line(self, line: str) -> None:
        """One line for the caller's standard error."""
        self._send("log", line=line)

    def handle(self, message: dict[str, Any], fds: list[int]) -> None:
        """Carry out one message."""
        match message["kind"]:
            case "run":
                self._run(message, fds)
            case "release":
                container = self._containers.get(message["id"])
                if container is not None:
                    container.release()
            case "signal":
                self._signal(message)
            case "resize":
                container = self._containers.get(message["id"])
                if container is not None and container.spec.terminal is not None:
                    container.spec.terminal.resize(message["rows"], message["cols"])  # type: ignore[attr-defined]
            case "export":
                self._export(message["id"], fds[0])
            case "stop":
                self._sandbox.stop()
            case "query":
                what = message.get("what", "")
                self._send("answer", what=what, **self._sandbox.report(what))
            case kind:
                self._manage(kind, message, fds)

    def _manage(self, kind: str, message: dict[str, Any], fds: list[int]) -> None:
        if kind == "update":
            self._send("updated", refused=self._sandbox.update_limits(message["memory"], message["pids"]))
        elif kind == "pause":
            self._stand_still()
        elif kind == "resume":
            self._send("resumed")
        elif kind in {"copy_out", "copy_in", "stat", "restore"}:
            self._copy(kind, message, fds)
        else:
            raise ProtocolError(f"unknown message {kind}")

    def _readable(self, revents: int) -> None:
        try:
            self._inbox.extend(self._channel.receive())
            while self._inbox and not self._sandbox.is_done:
                self.handle(*self._inbox.popleft())
        except ChannelClosed:
            self._sandbox.stop()
        except (ProtocolError, KeyError, TypeError, ValueError) as error:
            log.error("control socket: %r", error, exc_info=not isinstance(error, ProtocolError))  # noqa: TRY400
            self.failed("the sentry could not carry out a control message; its log has the details")
            self._sandbox.stop()

    def _stand_still(self) -> None:
        """Freeze the guests and wait for ``resume``: meanwhile the event loop does not turn. What else is asked for waits, too;
        questions are answered. Raises ChannelClosed."""
        self._sandbox.freeze()
        self._send("paused")
        postponed = []
        while True:
            while not self._inbox:
                self._inbox.extend(self._channel.receive())
            message, fds = self._inbox.popleft()
            if message["kind"] in {"resume", "stop"}:
                break
            if message["kind"] == "query":
                self.handle(message, fds)
            elif message["kind"] == "pause":
                self._send("paused")
            else:
                postponed.append((message, fds))
        self._inbox.extendleft(reversed([(message, fds), *postponed]))

    def _run(self, message: dict[str, Any], fds: list[int]) -> None:
        number = message["id"]

        def on_exit(status: int, errno: int) -> None:
            self._containers.pop(number, None)
            if errno:
                exit_code, text = _exec_failure(message["argv"][0], errno)
                self._send("failed", id=number, exit_code=exit_code, message=text)
            else:
                self._send("exited", id=number, code=status >> 8 & 0xFF, signal=status & 0x7F)

        def on_failed(text: str) -> None:
            self._containers.pop(number, None)
            self._send("failed", id=number, exit_code=EXIT_SANDBOX_ERROR, message=text)

        host = self._containers.get(message.get("inside", 0))
        if host is None and message.get("inside", 0):
            for fd in fds:
                close(HostFd(fd))
            on_failed("container not running")
            return
        prepared = partial(self._send, "prepared", id=number)
        container = self._sandbox.new_container(message, fds, on_exit, on_failed, prepared, host)
        self._containers[number] = container
        container.start()

    def _export(self, number: int, fd: int) -> None:
        """Write the changes of the root file system into ``fd``."""

        def done(errno: int, left_out: int) -> None:
            self._send("exported", id=number, errno=errno, left_out=left_out)

        self._work(fd, self._sandbox.export_changes(fd), done)

    def _copy(self, kind: str, message: dict[str, Any], fds: list[int]) -> None:
        """``copy_out`` and ``copy_in``: an archive in a host file; ``restore``: a layer in one; ``stat``: a mode."""
        fd = fds[0] if fds else -1
        work = self._sandbox.copying(kind, fd, message.get("path", b""), message.get("name", b""))
        self._work(fd, work, lambda errno, value: self._send("copied", errno=errno, value=value))

    def _work(self, fd: int, work: "Coroutine[Any, Any, int]", done: "Callable[[int, int], None]") -> None:
        """Do something that may wait, then close ``fd`` and tell ``done`` the error number and the result."""

        async def run() -> None:
            errno, value = 0, 0
            try:
                value = await work
            except SyscallError as error:
                errno = error.errno
            finally:
                if fd >= 0:
                    close(HostFd(fd))
            done(errno, value)

        Fiber(self._sandbox.runner, lambda result: None, self._sandbox.broken).start(run())

    def _signal(self, message: dict[str, Any]) -> None:
        container = self._containers.get(message["id"])
        if container is not None:
            container.signal(message["signo"], everyone=message["everyone"])

    def _send(self, kind: str, **fields: Any) -> None:
        try:
            self._channel.send(kind, **fields)
        except ChannelClosed:
            self._sandbox.stop()


def _exec_failure(name: bytes, errno: int) -> tuple[int, str]:
    """Exit status and line for a program that could not be executed, as docker and POSIX shells have them."""
    text = name.decode("utf-8", "backslashreplace")
    if errno in (ENOENT, ENOTDIR):
        what = "no such file or directory" if b"/" in name else "executable file not found in $PATH"
        return EXIT_NOT_FOUND, f"{text}: {what}"
    if errno == ENOMEM:
        return EXIT_SANDBOX_ERROR, f"{text}: not enough memory; raise --memory"
    return EXIT_NOT_EXECUTABLE, f"{text}: cannot execute: {errnos.name(errno)}"
