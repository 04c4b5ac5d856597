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
from collections.abc import Callable, Mapping

from sandboxctl.config import CommandConfig, SandboxConfig
from sandboxctl.errors import EXIT_KILLED, SandboxError
from sandboxctl.launcher import SentryProcess
from sandboxctl.session import Command, Session
from sandboxctl.state import kept, limits, link, restart
from sandboxctl.state.client import Client
from sandboxctl.state.folder import States
from sandboxctl.state.record import CREATED, PAUSED, RUNNING, STOPPED, Record
from sandboxctl.state.streams import Streams
from sandboxctl.terminal import size
from sentry.boot.control_protocol import ControlChannel

CLIENTS_MAX = 256
REPORT = "report"
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_ENDING = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


class Keeper:
    """One sandbox and its first program."""

    def __init__(
        self,
        states: States,
        record: Record,
        config: SandboxConfig,
        command: CommandConfig,
        sentry: SentryProcess | None = None,
    ) -> None:
        """``sentry``: one that this process has started ahead, for the first start."""
        self.states = states
        self.record = record
        self.folder = states.path(record.id)
        self.config = config
        self.command = command
        self.session: Session
        self.main: Command
        self.streams: Streams | None = None
        self.before_start: Callable[[], None] | None = None
        self.is_released = False
        self._clients: dict[int, Client] = {}
        self._console = -1
        self._arrivals = -1
        self._deadline: float | None = None
        self._end_of_time = False
        self._sentry = sentry

    def begin(self, streams: Mapping[int, int], *, console: int = -1) -> None:
        """Start the sandbox and find the program. Raises SandboxError, with the program's 126 or 127.

        ``streams``: our descriptors for the program's 0, 1, 2. ``console``: the terminal among them whose size it follows.
        """
        self._console = console
        self._arrivals = _signals()
        self._boot(streams)
        self._listen()
        self.record.pid = os.getpid()
        self.record.save(self.folder)
        self.states.note(self.record, "create" if not self.record.started else "init")

    def begin_logged(self) -> None:
        """``begin`` with streams of our own: the log, and whoever attaches."""
        self._keep_report()
        self.streams = Streams(self.folder, has_input=self.command.interactive, is_terminal=self.command.tty)
        theirs = self.streams.open()
        try:
            self.begin(theirs)
        finally:
            for fd in theirs.values():
                os.close(fd)

    def _keep_report(self) -> None:
        """What our own processes complain of goes to a file: the report, should they crash."""
        fd = os.open(os.path.join(self.folder, REPORT), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.dup2(fd, 2)
        os.close(fd)

    def _with_report(self, error: str) -> str:
        path = os.path.join(self.folder, REPORT)
        with contextlib.suppress(FileNotFoundError):
            if error and os.stat(path).st_size:
                return f"{error}; the report is in {path}"
        return error

    def _boot(self, streams: Mapping[int, int]) -> None:
        ahead, self._sentry = self._sentry, None
        self.session = Session(self.config, ahead, on_log=self._note)
        if self._keeps_changes:
            try:
                kept.restore(self.session, self.folder)
            except SandboxError:
                self.session.close(grace=0)
                raise
        rows, columns = size(self._console) if self._console >= 0 else (0, 0)
        self.main = self.session.run(self.command, streams, rows=rows, columns=columns, held=True)
        while not self.main.is_prepared and self.main.exit_code is None:
            self.session.pump(None)
        if self.main.exit_code is not None:
            self.session.close(grace=0)
            raise SandboxError(self.main.failure, self.main.exit_code)

    def release(self) -> None:
        """Let the program begin. Raises SandboxError if it has begun or ended."""
        if self.is_released:
            raise SandboxError("cannot start a container that is not in the created state")
        if self.before_start is not None:
            self.before_start()
        self.is_released = True
        self.session.release(self.main)
        if self.command.timeout is not None:
            self._deadline = time.monotonic() + self.command.timeout
        self.record.status, self.record.started = RUNNING, time.time()
        self.record.stopped_by_hand = False
        self.record.save(self.folder)
        self.states.note(self.record, "start")

    def kill(self, signo: int, *, everyone: bool, by_hand: bool = False) -> None:
        """A signal for the program; before it has begun, one that ends a process ends it."""
        if by_hand and (signo in _ENDING or signo == self.record.stop_signal):
            self.record.stopped_by_hand = True
        if self.is_released:
            if signo == signal.SIGKILL and self.record.status == PAUSED:
                self.resume()
            self.session.signal(self.main, signo, everyone=everyone)
        elif signo not in {0, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}:
            self.main.finish(0, signo)

    def pause(self) -> None:
        """All programs stand still; one that has not begun will not begin. Raises SandboxError if they do so already."""
        if self.record.status not in {CREATED, RUNNING}:
            raise SandboxError(f"cannot pause a container that is {self.record.status}: container not running")
        self.session.pause()
        self._becomes(PAUSED, "pause")

    def resume(self) -> None:
        """They go on. Raises SandboxError unless they are paused."""
        if self.record.status != PAUSED:
            raise SandboxError(f"cannot resume a container that is {self.record.status}: it is not paused")
        self.session.resume()
        self._becomes(RUNNING if self.is_released else CREATED, "unpause")

    def _becomes(self, status: str, event: str) -> None:
        self.record.status = status
        self.record.save(self.folder)
        self.states.note(self.record, event)

    def change(self, **values: object) -> None:
        """Change the record of the sandbox (``rename``, ``update``)."""
        self.record.__dict__.update(values)
        self.record.save(self.folder)

    def update(self, policy: str | None, memory: int | None, pids_limit: int | None) -> None:
        """Change limits and policy. Raises SandboxError if a limit cannot be changed."""
        if memory is not None or pids_limit is not None:
            self.session.update(memory, pids_limit)
        self.change(**limits.changed(self.record, policy, memory, pids_limit))
        self.states.note(self.record, "update")

    def run(self) -> tuple[int, int]:
        """Serve until the program has ended for good; return its exit code and the signal that ended it, or 0."""
        pause = 0.0
        while True:
            error = self._serve_one()
            code = self.main.exit_code or 0
            record = self.record
            if record.stopped_by_hand or error or not restart.applies(record.restart, code, record.restarts):
                break
            self.states.note(record, "died", exitCode=str(code))
            pause = restart.delay(pause, time.time() - record.started)
            try:
                if not self._rest(pause):
                    break
                self._again()
            except SandboxError as failed:
                self.main.finish(failed.exit_code)
                error = str(failed)
                break
        self._end(self.main.exit_code or 0, self._with_report(error or self.main.failure))
        return self.main.exit_code or 0, self.main.signal

    def _serve_one(self) -> str:
        """Serve until the program has ended, and end its sandbox; returns our error if there was one."""
        error = ""
        try:
            while self.main.exit_code is None:
                self._turn()
        except SandboxError as gone:
            self.main.finish(gone.exit_code)
            error = str(gone)
        if self._end_of_time:
            self.main.finish(EXIT_KILLED)
            error = f"the command ran longer than {self.command.timeout:g} s (--timeout) and was ended"
        elif self._keeps_changes and not error and not self.main.failure:
            error = self._keep_changes()
        self.session.close(grace=0)
        if self.streams is not None:
            self.streams.drain()
        return error

    @property
    def _keeps_changes(self) -> bool:
        """Ours, to be started again: what it changes in its image's files is there then."""
        return bool(self.record.config) and not self.record.auto_remove and kept.is_kept(self.config)

    def _keep_changes(self) -> str:
        """Write them down; returns why they are not."""
        try:
            kept.save(self.session, self.folder)
        except SandboxError as error:
            return str(error)
        return ""

    def _rest(self, seconds: float) -> bool:
        """Between two runs: callers are still answered; whether nobody wants it to be the last one."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.record.stopped_by_hand:
            poll = select.poll()
            for fd, events in self._watched().items():
                poll.register(fd, events)
            self._act(dict(poll.poll(left * 1000 + 1)))
        return not self.record.stopped_by_hand

    def _again(self) -> None:
        assert self.streams is not None, "only what we log is started again"
        theirs = self.streams.open()
        try:
            self._boot(theirs)
        finally:
            for fd in theirs.values():
                os.close(fd)
        self.is_released = False
        self.record.restarts += 1
        self.release()

    def _end(self, code: int, error: str) -> None:
        record = self.record
        record.status, record.exit_code, record.error = STOPPED, code, error
        record.pid, record.finished = 0, time.time()
        self.states.note(record, "died", exitCode=str(code))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, link.NAME))
        if record.auto_remove:
            self.states.remove(record.id)
        else:
            with contextlib.suppress(FileNotFoundError):  # somebody removed the folder by hand
                record.save(self.folder)
        if self.streams is not None:
            self.streams.close()
        for client in self._clients.values():
            client.main_ended(code, self.main.signal)

    def _watched(self) -> dict[int, int]:
        watched = dict.fromkeys([*self._clients, self._arrivals, self._socket.fileno()], int(select.POLLIN))
        if self.streams is not None:
            watched.update(self.streams.watched())
        return watched

    def _turn(self) -> None:
        left = None if self._deadline is None else self._deadline - time.monotonic()
        if left is not None and left <= 0:
            self._deadline, self._end_of_time = None, True
            self.kill(signal.SIGKILL, everyone=True)
            left = None
        self._act(self.session.pump(left, self._watched()))
        for client in self._clients.values():
            client.follow()

    def _act(self, ready: Mapping[int, int]) -> None:
        for fd, revents in ready.items():
            if self.streams is not None and self.streams.ready(fd, revents):
                continue
            if fd == self._arrivals:
                self._signalled()
            elif fd in self._clients:
                self._serve(fd)
            elif fd == self._socket.fileno():
                self._accept()

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

    def _note(self, line: str) -> None:
        if self.streams is not None:
            self.streams.note(line)


def _signals() -> int:
    """A descriptor that gives the numbers of the signals that we get for the program."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    for signo in (*_FORWARDED, signal.SIGWINCH):
        signal.signal(signo, lambda _signo, _frame: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader
