"""The keeper: the process that holds one sandbox, from ``create`` to its end. There is no daemon.

It owns the ``Session``, answers the sandbox's socket (``link.py``), writes the log and the record, and ends as the first program
ended, so that whoever started it may wait for it as for the program (runtime.md of the OCI; oci.md 2.4).
"""

import contextlib
import os
import select
import signal
import time
from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM, socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandboxctl.config import CommandConfig, SandboxConfig
from sandboxctl.errors import SandboxError
from sandboxctl.session import Command, Session
from sandboxctl.state import link
from sandboxctl.state.client import Client
from sandboxctl.state.folder import States
from sandboxctl.state.record import RUNNING, STOPPED, Record
from sandboxctl.terminal import size
from sentry.boot.control_protocol import ControlChannel

if TYPE_CHECKING:
    from sandboxctl.state.log_file import LogWriter

CLIENTS_MAX = 256
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


class Keeper:
    """One sandbox and its first program."""

    def __init__(self, states: States, record: Record, config: SandboxConfig, command: CommandConfig) -> None:
        self.states = states
        self.record = record
        self.folder = states.path(record.id)
        self.config = config
        self.command = command
        self.session: Session
        self.main: Command
        self.is_released = False
        self._clients: dict[int, Client] = {}
        self._outputs: dict[int, bytes] = {}
        self._kept: list[int] = []
        self._log: LogWriter | None = None
        self._console = -1
        self._arrivals = -1

    def begin(self, streams: Mapping[int, int], *, console: int = -1) -> None:
        """Start the sandbox and find the program. Raises SandboxError, with the program's 126 or 127.

        ``streams``: our descriptors for the program's 0, 1, 2. ``console``: the terminal among them whose size it follows.
        """
        self._console = console
        self._arrivals = _signals()
        self.session = Session(self.config, on_log=self._note)
        rows, columns = size(console) if console >= 0 else (0, 0)
        self.main = self.session.run(self.command, streams, rows=rows, columns=columns, held=True)
        while not self.main.is_prepared and self.main.exit_code is None:
            self.session.pump(None)
        if self.main.exit_code is not None:
            self.session.close(grace=0)
            raise SandboxError(self.main.failure, self.main.exit_code)
        self._listen()
        self.record.pid = os.getpid()
        self.record.save(self.folder)

    def log_streams(self) -> dict[int, int]:
        """Streams whose output goes to the log; standard input stays open, and silent, if the command wants it."""
        from sandboxctl.state.log_file import LogWriter

        self._log = LogWriter(self.folder)
        theirs = {}
        for number, name in ((1, b"stdout"), (2, b"stderr")):
            if number == 2 and self.command.tty:
                break
            ours, theirs[number] = os.pipe2(os.O_CLOEXEC)
            self._outputs[ours] = name
        if self.command.interactive:
            theirs[0], ours = os.pipe2(os.O_CLOEXEC)
            self._kept.append(ours)
        return theirs

    def release(self) -> None:
        """Let the program begin. Raises SandboxError if it has begun or ended."""
        if self.is_released:
            raise SandboxError("cannot start a container that is not in the created state")
        self.is_released = True
        self.session.release(self.main)
        self.record.status, self.record.started = RUNNING, time.time()
        self.record.save(self.folder)

    def kill(self, signo: int, *, everyone: bool) -> None:
        """A signal for the program; before it has begun, one that ends a process ends it."""
        if self.is_released:
            self.session.signal(self.main, signo, everyone=everyone)
        elif signo not in {0, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}:
            self.main.finish(0, signo)

    def run(self) -> tuple[int, int]:
        """Serve until the program has ended; return its exit code and the signal that ended it, or 0."""
        error = ""
        try:
            while self.main.exit_code is None:
                self._turn()
        except SandboxError as gone:
            self.main.finish(gone.exit_code)
            error = str(gone)
        self.session.close(grace=0)
        self._drain()
        self._end(self.main.exit_code or 0, error or self.main.failure)
        return self.main.exit_code or 0, self.main.signal

    def _end(self, code: int, error: str) -> None:
        record = self.record
        record.status, record.exit_code, record.error = STOPPED, code, error
        record.pid, record.finished = 0, time.time()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, link.NAME))
        if record.auto_remove:
            self.states.remove(record.id)
        else:
            with contextlib.suppress(FileNotFoundError):  # somebody removed the folder by hand
                record.save(self.folder)
        for client in self._clients.values():
            client.main_ended(code, self.main.signal)

    def _turn(self) -> None:
        watched = dict.fromkeys([*self._outputs, *self._clients, self._arrivals, self._socket.fileno()], select.POLLIN)
        for fd in self.session.pump(None, watched):
            if fd in self._outputs:
                self._copy(fd)
            elif fd == self._arrivals:
                self._signalled()
            elif fd in self._clients:
                self._serve(fd)
            else:
                self._accept()
        for client in self._clients.values():
            client.follow()

    def _serve(self, fd: int) -> None:
        client = self._clients[fd]
        if not client.readable():
            client.gone()
            del self._clients[fd]

    def _accept(self) -> None:
        try:
            fd, _address = self._socket._accept()  # type: ignore[attr-defined]
        except OSError:
            return
        if len(self._clients) >= CLIENTS_MAX:
            os.close(fd)
            return
        self._clients[fd] = Client(ControlChannel(socket(fileno=fd)), self)

    def _listen(self) -> None:
        self._socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
        fd = os.open(self.folder, os.O_PATH | os.O_CLOEXEC)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(link.NAME, dir_fd=fd)
            self._socket.bind(link.address(fd))
            self._socket.listen(64)
            self._socket.setblocking(False)
        finally:
            os.close(fd)

    def _signalled(self) -> None:
        for signo in os.read(self._arrivals, 64):
            if signo == signal.SIGWINCH:
                if self._console >= 0:
                    self.session.resize(self.main, *size(self._console))
            else:
                self.kill(signo, everyone=False)

    def _copy(self, fd: int) -> bool:
        data = os.read(fd, 1 << 16)
        if not data:
            os.close(fd)
            del self._outputs[fd]
            return False
        if self._log is not None:
            with contextlib.suppress(OSError):  # a full disk loses the log, not the sandbox
                self._log.write(self._outputs[fd], data)
        return True

    def _drain(self) -> None:
        """What the program wrote before it ended; the sentry is gone and with it the pipes' other ends."""
        for fd in list(self._outputs):
            while self._copy(fd):
                pass

    def _note(self, line: str) -> None:
        if self._log is not None:
            with contextlib.suppress(OSError):
                self._log.write(b"stderr", f"sandboxctl: {line}\n".encode("utf-8", "backslashreplace"))


def _signals() -> int:
    """A descriptor that gives the numbers of the signals that we get for the program."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    for signo in (*_FORWARDED, signal.SIGWINCH):
        signal.signal(signo, lambda _signo, _frame: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader
