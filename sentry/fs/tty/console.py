"""The terminal of ``run -t``: its far side is the caller's own terminal, which the caller has put into raw mode."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from sentry.fs.tty.terminal import Terminal
from sentry.vfs.readiness import POLLIN, POLLOUT
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_NOCTTY
from syscalls.abi.termios import VEOF

if TYPE_CHECKING:
    from sentry.fs.devpts.filesystem import DevPtsFileSystem
    from sentry.fs.tty.slave import SlaveFile
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.session import Session
    from sentry.vfs.mount import MountNamespace

_CHUNK: Final = 4096


class Stream(Protocol):
    """A host descriptor (``sentry.host.stream.HostStream``)."""

    fd: int
    is_always_ready: bool

    @property
    def is_terminal(self) -> bool:
        """Whether it is a terminal of the host."""

    def try_read(self, length: int) -> bytes | None:
        """Bytes, b"" at the end, None if there is nothing now."""

    def try_write(self, data: bytes | memoryview) -> int | None:
        """How much was taken, None if nothing can be now."""

    def close(self) -> None:
        """Close the descriptor."""


class ConsoleTerminal:
    """Joins a terminal of the sandbox to host streams. ``input`` is None where nothing will ever be typed."""

    def __init__(
        self, kernel: "Kernel", input: "Stream | None", output: "Stream", *, rows: int, columns: int, uid: int = 0
    ) -> None:
        self._kernel = kernel
        self._pts: DevPtsFileSystem = kernel.mounts.terminals
        self.terminal: Terminal = self._pts.new_terminal(kernel, uid)
        self.terminal.is_console = True
        self.terminal.window = (rows, columns, 0, 0)
        self.terminal.far = self
        self._input = input
        self._output: Stream | None = output
        self._stop_input: Callable[[], None] | None = None
        self._stop_output: Callable[[], None] | None = None
        self._unsent = b""
        self._drained: Callable[[], None] | None = None

    def open(self, flags: int, namespace: "MountNamespace | None" = None) -> "SlaveFile":
        """An open file for the first process; ``namespace`` lets ttyname(3) find its name. Errors: EIO."""
        mount = self._pts.mount_in(namespace) if namespace is not None else None
        file = self._pts.open_terminal(self.terminal, flags | O_NOCTTY, None, mount)
        self._watch_input()
        return file

    def become_controlling(self, session: "Session") -> None:
        """The container's first process starts as leader of ``session`` on this terminal."""
        self.terminal.become_controlling(session)

    def resize(self, rows: int, columns: int) -> None:
        """The caller's window has changed."""
        self.terminal.set_window((rows, columns, 0, 0))

    def drain(self, done: Callable[[], None]) -> None:
        """Call ``done`` once every byte of output has reached the caller, or never can; the terminal is gone then."""
        self._drained = done
        self.output_changed()

    # FarSide

    def output_changed(self) -> None:
        """Send what the caller's terminal takes now."""
        output = self._output
        while output is not None:
            if not self._unsent:
                self._unsent = self.terminal.take_output(_CHUNK)
                if not self._unsent:
                    break
            try:
                count = output.try_write(self._unsent)
            except SyscallError:  # the caller has gone away: nobody will ever see it
                self._lose_output()
                break
            if count is None:
                self._watch_output()
                return
            self._unsent = self._unsent[count:]
        self._unwatch_output()
        if self._drained is not None:
            done, self._drained = self._drained, None
            self.close()
            done()

    def input_drained(self) -> None:
        """Programs have read what was typed: look for more."""
        self._watch_input()

    def notice(self, status: int) -> None:
        """Nobody reads packets here."""

    def slaves_changed(self) -> None:
        """A terminal without programs goes on: the next command may open it."""

    def close(self) -> None:
        """The container is gone."""
        self._unwatch_input()
        self._unwatch_output()
        self.terminal.far = None
        self.terminal.hang_up()
        self._pts.remove(self.terminal)
        for stream in (self._input, self._output):
            if stream is not None:
                stream.close()
        self._input = self._output = None

    # The host's side

    def _watch_input(self) -> None:
        if self._input is None or self._stop_input is not None or self.terminal.has_backlog:
            return
        self._stop_input = self._kernel.platform.watch(self._input.fd, POLLIN, self._input_ready)  # type: ignore[arg-type]

    def _input_ready(self, revents: int) -> None:
        stream = self._input
        if stream is None:
            return
        try:
            data = stream.try_read(_CHUNK)
        except SyscallError:
            data = b""
        if data is None:
            return
        if data:
            self.terminal.type(data)
            if self.terminal.has_backlog:
                self._unwatch_input()
            return
        self._unwatch_input()
        if stream.is_terminal:
            self.terminal.hang_up()
        else:
            self.terminal.type(self.terminal.discipline.modes.cc[VEOF : VEOF + 1])

    def _unwatch_input(self) -> None:
        if self._stop_input is not None:
            self._stop_input()
            self._stop_input = None

    def _watch_output(self) -> None:
        if self._output is not None and self._stop_output is None:
            self._stop_output = self._kernel.platform.watch(self._output.fd, POLLOUT, self._output_ready)  # type: ignore[arg-type]

    def _output_ready(self, revents: int) -> None:
        self.output_changed()

    def _unwatch_output(self) -> None:
        if self._stop_output is not None:
            self._stop_output()
            self._stop_output = None

    def _lose_output(self) -> None:
        self._unsent = b""
        self._unwatch_output()
        if self._output is not None:
            self._output.close()
            self._output = None
        self.terminal.take_output(len(self.terminal.discipline.output.data))
        self.terminal.hang_up()
