"""The Python interface: ``Sandbox``, its commands and their results.

    with Sandbox("host", memory="512m") as sandbox:
        result = sandbox.run(["python3", "-c", "print(6 * 7)"], timeout=10)
        assert result.stdout.strip() == b"42"

A sandbox runs any number of commands, one after the other or at once; they share its files. Use one from one thread at a time.
"""

import contextlib
import os
import select
import signal as signals
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from sandboxctl.config import CommandConfig, SandboxConfig
from sandboxctl.errors import EXIT_KILLED, OptionError, SandboxError
from sandboxctl.launcher import SentryProcess
from sandboxctl.options.assemble import CommandOptions, SandboxOptions, command_config, sandbox_config
from sandboxctl.session import Command, Session

if TYPE_CHECKING:
    from sandboxctl.compat.census import Census

OUTPUT_LIMIT = 64 << 20
_CHUNK = 1 << 16
_KILL_WAIT = 5.0


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended and what it wrote; ``truncated`` if it wrote more than the output limit."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    truncated: bool = False


class Process:
    """A command that was started with ``Sandbox.start``. Streams that were asked for are unbuffered binary files."""

    def __init__(self, session: Session, command: Command, files: "dict[int, IO[bytes]]") -> None:
        self._session = session
        self._command = command
        self.stdin = files.get(0)
        self.stdout = files.get(1)
        self.stderr = files.get(2)

    @property
    def exit_code(self) -> int | None:
        """The exit code as far as we know it; ``poll`` looks again."""
        return self._command.exit_code

    @property
    def failure(self) -> str:
        """Why the program could not be started (exit codes 125 to 127), else empty."""
        return self._command.failure

    def poll(self) -> int | None:
        """Return the exit code if the command has ended. Raises SandboxDied."""
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit code (128+n for a death by signal n), None after ``timeout`` seconds. Raises SandboxDied."""
        if timeout == 0 and self._command.exit_code is None:
            self._session.pump(0)
            return self._command.exit_code
        return self._session.wait(self._command, timeout)

    def signal(self, signo: int) -> None:
        """Send ``signo`` to the command's first process."""
        self._session.signal(self._command, signo)

    def kill(self) -> None:
        """Kill every process of the command."""
        self._session.signal(self._command, signals.SIGKILL, everyone=True)

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the command's terminal (``tty=True``)."""
        self._session.resize(self._command, rows, columns)

    def close(self) -> None:
        """Close our ends of its streams."""
        for file in (self.stdin, self.stdout, self.stderr):
            if file is not None:
                with contextlib.suppress(BrokenPipeError):
                    file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Kill what still runs and close the streams."""
        with contextlib.suppress(SandboxError):
            if self._command.exit_code is None:
                self.kill()
                self.wait(_KILL_WAIT)
        self.close()


class Sandbox:
    """A sandbox. It starts at once and ends with ``close`` or the with-statement; nothing of it stays behind.

    ``options`` are those of ``sandboxctl run`` as keywords, with the same texts: ``volumes=["./data:/data:ro"]``,
    ``memory="512m"``, ``tmpfs=["/scratch:size=64m"]``, ``read_only=True`` and so on (see ``SandboxOptions``).
    Raises OptionError for a value that makes no sense, SandboxError if the sandbox cannot start.
    """

    def __init__(self, image: str = "host", **options: Any) -> None:
        try:
            chosen = SandboxOptions(image=image, **options)
        except TypeError as error:
            raise OptionError(f"Sandbox: {str(error).rpartition('__init__() ')[2]}") from None
        self._begin(sandbox_config(chosen), None)

    @classmethod
    def from_config(cls, config: SandboxConfig, sentry: SentryProcess | None = None) -> Self:
        """Start from a checked configuration; ``sentry`` is one that was started ahead. Raises SandboxError."""
        made = cls.__new__(cls)
        made._begin(config, sentry)
        return made

    def _begin(self, config: SandboxConfig, sentry: SentryProcess | None) -> None:
        self.config = config
        self.session = Session(config, sentry)

    @property
    def info(self) -> Mapping[str, object]:
        """What the sentry said when it was ready: platform, profile, jail layers."""
        return self.session.info

    def continued_calls(self) -> Mapping[str, int]:
        """How often each call was let through to the host kernel after a check; ``host-surface`` lists which may be."""
        return self.session.continued_calls()

    def census(self) -> "Census":
        """What the programs inside have asked for so far; the sandbox must have been made with ``census=True``."""
        from sandboxctl.compat.census import Census

        return Census.of(self.session.census())

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float | None = None,
        user: str | None = None,
        output_limit: int = OUTPUT_LIMIT,
    ) -> Result:
        """Run a command to its end and return what it wrote.

        ``env`` adds to the default environment; ``timeout`` seconds later the command is killed (exit code 137). Of each output
        stream ``output_limit`` bytes are kept. A program that cannot be started gives 126 or 127 with the reason in ``stderr``.
        Raises OptionError, SandboxDied.
        """
        command = self._command(argv, env, cwd, user, interactive=input is not None)
        return self.run_config(command, input=input, timeout=timeout, output_limit=output_limit)

    def run_config(
        self,
        command: CommandConfig,
        *,
        input: bytes | None = None,
        timeout: float | None = None,
        output_limit: int = OUTPUT_LIMIT,
    ) -> Result:
        """Run a checked command to its end; as ``run``. Raises SandboxDied."""
        streams = (0, 1, 2) if input is not None else (1, 2)
        with self.start_config(command, pipes=streams) as process:
            return _Collector(self.session, process, input or b"", output_limit).collect(timeout)

    def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        user: str | None = None,
        pipes: Iterable[int] = (0, 1, 2),
    ) -> Process:
        """Start a command and return at once; ``pipes`` are the streams to connect to the result's files.

        Raises OptionError, SandboxDied.
        """
        wanted = tuple(pipes)
        return self.start_config(self._command(argv, env, cwd, user, interactive=0 in wanted), pipes=wanted)

    def start_config(
        self,
        command: CommandConfig,
        *,
        pipes: Iterable[int] = (),
        streams: Mapping[int, int] | None = None,
        rows: int = 0,
        columns: int = 0,
    ) -> Process:
        """Start a checked command. ``streams`` maps 0, 1, 2 to descriptors of ours that it uses directly. Raises SandboxDied."""
        theirs: dict[int, int] = {}
        files: dict[int, IO[bytes]] = {}
        try:
            for number in pipes:
                read_end, write_end = os.pipe2(os.O_CLOEXEC)
                ours, theirs[number] = (write_end, read_end) if number == 0 else (read_end, write_end)
                files[number] = os.fdopen(ours, "wb" if number == 0 else "rb", buffering=0)
            started = self.session.run(command, {**theirs, **(streams or {})}, rows=rows, columns=columns)
        except BaseException:
            for file in files.values():
                file.close()
            raise
        finally:
            for fd in theirs.values():
                os.close(fd)
        return Process(self.session, started, files)

    def changes(self) -> list[tuple[str, str]]:
        """What has changed in an image of the store: ("A" added, "C" changed or "D" deleted, path). Raises SandboxError."""
        from sandboxctl.images.difference import of_running
        from sandboxctl.images.running import of_session

        return [(change.kind, change.path) for change in of_running(of_session(self.session))]

    def commit(self, name: str | None = None, *, message: str = "", author: str = "", changes: Sequence[str] = ()) -> str:
        """Make an image of the sandbox as it is now, with one more layer; returns its id. Raises SandboxError.

        ``changes`` are Dockerfile instructions for its configuration: ``["CMD /bin/app"]``. The sandbox runs on.
        """
        from sandboxctl.images.commit import CommitOptions, commit
        from sandboxctl.images.running import of_session

        return commit(of_session(self.session), name, CommitOptions(message, author, tuple(changes)))[0].id

    def close(self) -> None:
        """End the sandbox and everything in it. Idempotent."""
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _command(
        self, argv: Sequence[str], env: Mapping[str, str] | None, cwd: str | None, user: str | None, *, interactive: bool
    ) -> CommandConfig:
        if isinstance(argv, str | bytes):
            raise OptionError("argv must be a list of words, for example ['sh', '-c', 'echo hello']")
        assignments = [f"{name}={value}" for name, value in (env or {}).items()]
        options = CommandOptions(argv=list(argv), env=assignments, workdir=cwd, user=user, interactive=interactive)
        return command_config(options, self.config.image)


class _Collector:
    """Feeds one command and collects its output, bounded in size and time."""

    def __init__(self, session: Session, process: Process, data: bytes, limit: int) -> None:
        self._session = session
        self._process = process
        self._input = memoryview(data)
        self._limit = limit
        self._kept = {1: bytearray(), 2: bytearray()}
        self._truncated = False
        self._open = {}
        for number, file in ((0, process.stdin), (1, process.stdout), (2, process.stderr)):
            if file is not None:
                os.set_blocking(file.fileno(), False)
                self._open[file.fileno()] = number

    def collect(self, timeout: float | None) -> Result:
        """Return the result; after ``timeout`` the command is killed."""
        deadline = None if timeout is None else time.monotonic() + timeout
        timed_out = False
        while self._process.exit_code is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                if timed_out:
                    raise SandboxError("the command cannot be killed; the sandbox is stuck")
                timed_out, deadline = True, time.monotonic() + _KILL_WAIT
                self._process.kill()
                continue
            self._turn(left)
        while any(number for number in self._open.values()) and self._turn(0):
            pass
        code = EXIT_KILLED if timed_out else self._process.exit_code
        errors = bytes(self._kept[2])
        if self._process.failure:
            errors += f"sandboxctl: {self._process.failure}\n".encode()
        return Result(code, bytes(self._kept[1]), errors, timed_out, self._truncated)

    def _turn(self, timeout: float | None) -> bool:
        watched = {fd: select.POLLIN if number else select.POLLOUT for fd, number in self._open.items()}
        if self._process.exit_code is None:
            ready = self._session.pump(timeout, watched)
        else:
            poll = select.poll()
            for fd, events in watched.items():
                poll.register(fd, events)
            ready = dict(poll.poll(0))
        for fd in ready:
            if self._open[fd] == 0:
                self._feed(fd)
            else:
                self._drain(fd, self._open[fd])
        return any(fd in self._open for fd in ready)

    def _feed(self, fd: int) -> None:
        try:
            self._input = self._input[os.write(fd, self._input[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._input = self._input[:0]
        if not self._input and self._process.stdin is not None:
            del self._open[fd]
            self._process.stdin.close()

    def _drain(self, fd: int, number: int) -> None:
        data = os.read(fd, _CHUNK)
        if not data:
            del self._open[fd]
            return
        kept = self._kept[number]
        room = self._limit - len(kept)
        kept += data[:room]
        self._truncated = self._truncated or len(data) > room
