"""Stands between the caller and one running command: signals, terminal, time limit."""

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

from sandboxctl import terminal
from sandboxctl.api import Process, Sandbox
from sandboxctl.config import CommandConfig
from sandboxctl.errors import EXIT_KILLED

#: how long a command may take to end after we were told to
GRACE = {signal.SIGINT: 5.0, signal.SIGTERM: 5.0, signal.SIGHUP: 1.0, signal.SIGQUIT: 1.0}


@dataclass(frozen=True, slots=True)
class End:
    """Exit status of ours, and a line for standard error if there is something to say."""

    status: int
    message: str = ""


def attach(sandbox: Sandbox, command: CommandConfig) -> End:
    """Run ``command`` on the caller's standard streams until it ends. Raises SandboxDied."""
    streams = {1: 1} if command.tty else {1: 1, 2: 2}
    if command.interactive:
        streams[0] = 0
    streams = {number: fd for number, fd in streams.items() if _is_open(fd)}
    screen = 0 if terminal.is_terminal(0) else 1
    rows, columns = terminal.size(screen) if command.tty else (0, 0)
    with contextlib.ExitStack() as stack:
        arrivals = stack.enter_context(_signals())
        if command.tty and command.interactive:
            stack.enter_context(terminal.raw(0))
        process = sandbox.start_config(command, streams=streams, rows=rows, columns=columns)
        return _Attachment(sandbox, command, process, screen).wait(arrivals)


class _Attachment:
    def __init__(self, sandbox: Sandbox, command: CommandConfig, process: Process, screen: int) -> None:
        self._sandbox = sandbox
        self._command = command
        self._process = process
        self._screen = screen
        self._deadline = None if command.timeout is None else time.monotonic() + command.timeout
        self._stopped_by = 0

    def wait(self, arrivals: int) -> End:
        """Return how it ended; ``arrivals`` is a descriptor that gives the numbers of signals that we got."""
        process = self._process
        while process.exit_code is None:
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if left is not None and left <= 0:
                return self._expired()
            if self._sandbox.session.pump(left, {arrivals: select.POLLIN}):
                for signo in os.read(arrivals, 64):
                    if self._take(signo):
                        return End(128 + signo)
        return End(process.exit_code, process.failure)

    def _expired(self) -> End:
        if self._stopped_by:
            return End(128 + self._stopped_by)
        return End(EXIT_KILLED, f"the command ran longer than {self._command.timeout:g} s (--timeout) and was ended")

    def _take(self, signo: int) -> bool:
        """Act on a signal of ours; whether the sandbox must end at once."""
        if signo == signal.SIGWINCH:
            if self._command.tty:
                self._process.resize(*terminal.size(self._screen))
            return False
        if self._stopped_by:
            return True
        self._stopped_by = signo
        self._process.signal(self._sandbox.config.stop_signal if signo == signal.SIGTERM else signo)
        self._deadline = time.monotonic() + GRACE[signal.Signals(signo)]
        return False


@contextlib.contextmanager
def _signals() -> Iterator[int]:
    """Turn the signals that concern us into bytes on a descriptor while the block runs."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    before = {}
    for signo in (*GRACE, signal.SIGWINCH):
        if signal.getsignal(signo) is not signal.SIG_IGN:  # nohup stays in force
            before[signo] = signal.signal(signo, lambda _signo, _frame: None)
    old = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(old)
        for signo, handler in before.items():
            signal.signal(signo, handler)
        os.close(reader)
        os.close(writer)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
