"""One running sandbox: its gofers, its sentry and the commands in it. The Python API and the command line are written on this.

Everything that waits here waits for the control socket too, so every wait ends when the sandbox dies.
Use a session from one thread.
"""

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gofer.launch import GoferError, GoferProcess
from gofer.launch import start as start_gofer
from sandboxctl.config import CommandConfig, Network, SandboxConfig
from sandboxctl.errors import EXIT_OURS, OptionError, SandboxDied, SandboxError, one_line
from sandboxctl.images.registry import resolve
from sandboxctl.init import guest as guest_init
from sandboxctl.launcher import SentryProcess, start_sentry
from sandboxctl.layout import plan
from sentry.boot.control_protocol import ChannelClosed, ProtocolError

if TYPE_CHECKING:
    from sandboxctl.layout import Layout
    from sandboxctl.network.namespace import Namespace
    from sandboxctl.network.netgofer import NetGofer
    from sandboxctl.network.passt import Passt

STOP_GRACE = 2.0
START_PATIENCE = 60.0
ANSWER_PATIENCE = 60.0
#: characters of one line of the sentry's log: a traced call with long arguments
_LINE_MAX = 16384


class Command:
    """One command that was started: ``exit_code`` is None until it has ended."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.exit_code: int | None = None
        self.signal = 0
        self.failure = ""
        self.is_prepared = False

    def finish(self, code: int, signo: int = 0, failure: str = "") -> None:
        """Record the end; a death by signal n gives 128 + n."""
        self.exit_code = 128 + signo if signo else code
        self.signal = signo
        self.failure = failure


class Session:
    """A sandbox from start to stop."""

    def __init__(
        self, config: SandboxConfig, sentry: SentryProcess | None = None, on_log: Callable[[str], None] | None = None
    ) -> None:
        """Start the parts; returns once the sentry says that it is ready. ``sentry``: one that was started ahead.

        Raises OptionError for an unknown image, SandboxError if a part cannot start; nothing is left behind then.
        """
        self.config = config
        self.info: dict[str, Any] = {}
        self._commands: dict[int, Command] = {}
        self._next = 1
        self._on_log = on_log or _log_to_stderr
        self._log_fd = -1
        self._image_fd = -1  # holds an image of the store
        self._gofers: list[GoferProcess] = []
        self._way: Passt | NetGofer | Namespace | None = None  # to the outside
        self._record_fds: list[int] = []  # of --network-log and --network-pcap, until the sentry has them
        self._death: SandboxError | None = None
        self._answers: list[dict[str, Any]] = []
        self._poll = select.poll()
        self._sentry: SentryProcess | None = sentry
        try:
            self._start()
        except BaseException as error:
            self.close(grace=0)
            if isinstance(error, SandboxError) and not isinstance(error, OptionError):
                raise type(error)(_explained(str(error), error.exit_code), error.exit_code) from None
            raise

    def _start(self) -> None:
        self.image = image = resolve(self.config.image)
        if image.layers is not None:
            from sandboxctl.images.stored import hold

            self._image_fd = hold(image)
        layout = plan(self.config, image)
        self._open_log()
        try:
            if self._sentry is None:
                self._sentry = start_sentry()
            self._channel = self._sentry.channel
            self._poll.register(self._channel.fileno(), select.POLLIN)
            for gofer in layout.gofers:
                self._gofers.append(start_gofer(gofer))
            layout.message["gofers"] = [{"layers": sorted(gofer.wait_ready()), "trees": 1} for gofer in self._gofers]
        except GoferError as error:
            raise SandboxError(f"the gofer cannot start: {one_line(error)}") from None
        except OSError as error:
            raise SandboxError(f"cannot start a process: {error.strerror or error}") from None
        if self.config.network is not None:
            self._open_network(self.config.network, layout)
        self._send_start(layout.message)
        deadline = time.monotonic() + START_PATIENCE
        while not self.info:
            self.pump(deadline - time.monotonic())
            if time.monotonic() > deadline:
                raise SandboxError(f"the sandbox did not start within {START_PATIENCE:g} s; see: sandboxctl doctor")

    def _open_network(self, network: Network, layout: "Layout") -> None:
        from sandboxctl.network.records import open_records

        if not network.namespace:
            from sandboxctl.network.passt import NAME_SERVER
            from sandboxctl.network.start import start as start_network

            self._record_fds = open_records(network)
            self._way = way = start_network(network)
            layout.set_network(way.message(network), self.config.dns or (NAME_SERVER,))
            return
        from sandboxctl.network.namespace import Namespace, name_servers

        self._way = taken = Namespace(network.namespace)
        if taken.link_fd >= 0:
            self._record_fds = open_records(network)
            layout.set_network(taken.message(network), self.config.dns or name_servers(network.namespace))

    def _close_records(self) -> None:
        while self._record_fds:
            os.close(self._record_fds.pop())

    def _open_log(self) -> None:
        path = self.config.log_file
        if path is None:
            return
        try:
            self._log_fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o600)
        except OSError as error:
            raise SandboxError(f"--log-file: cannot write {path!r}: {error.strerror}") from None
        self._on_log = self._log_to_file

    def _log_to_file(self, line: str) -> None:
        os.write(self._log_fd, f"{line}\n".encode("utf-8", "backslashreplace"))

    def _send_start(self, message: dict[str, object]) -> None:
        fds = [gofer.channel_fd for gofer in self._gofers]
        overlay_fd = -1
        if self.config.overlay.folder is not None:
            overlay_fd = _open_folder(self.config.overlay.folder)
            fds.append(overlay_fd)
        if self._way is not None and self._way.link_fd >= 0:
            fds.append(self._way.link_fd)
        fds += self._record_fds
        if self._log_fd >= 0:
            fds.append(self._log_fd)
        try:
            self._send("start", fds, config={**message, "has_log_file": self._log_fd >= 0})
        finally:
            self._close_records()
            if overlay_fd >= 0:
                os.close(overlay_fd)
            if self._way is not None:
                self._way.close_link()
        for gofer in self._gofers:
            gofer.close_channel()

    @property
    def pid(self) -> int:
        """The sentry's process number, -1 once it has been ended."""
        return self._sentry.pid if self._sentry is not None else -1

    def run(
        self,
        command: CommandConfig,
        streams: Mapping[int, int],
        *,
        rows: int = 0,
        columns: int = 0,
        held: bool = False,
        inside: Command | None = None,
    ) -> Command:
        """Start ``command``; ``streams`` maps its 0, 1, 2 to our descriptors, which stay ours.

        ``inside``: it joins the pid namespace of that command, instead of having one of its own. ``held``: only look
        for the program; ``is_prepared`` tells that it is there, ``release`` starts it. Raises SandboxDied.
        """
        started = Command(self._next)
        self._next += 1
        self._commands[started.number] = started
        who, caps = command.identity, command.capabilities
        self._send(
            "run",
            list(streams.values()),
            id=started.number,
            argv=self._argv(command, inside),
            env=[os.fsencode(f"{name}={value}") for name, value in command.env.items()],
            cwd=os.fsencode(command.cwd),
            umask=command.umask,
            no_new_privs=command.no_new_privileges,
            capabilities=None if caps is None else [caps.bounding, caps.inheritable, caps.ambient],
            oom_score_adj=command.oom_score_adj,
            uid=who.uid,
            gid=who.gid,
            groups=list(who.groups),
            rlimits=[[limit.resource, limit.soft, limit.hard] for limit in command.rlimits],
            tty=command.tty,
            rows=rows,
            cols=columns,
            streams=list(streams),
            held=held,
            inside=inside.number if inside is not None else 0,
            places=[os.fsencode(place) for place in command.places],
            reaped=command.is_reaped,
            seccomp=bytes.fromhex(command.seccomp),
        )
        return started

    def _argv(self, command: CommandConfig, inside: Command | None) -> list[bytes]:
        if self.config.init and inside is None:
            return guest_init.wrap(command.argv)
        return [os.fsencode(word) for word in command.argv]

    def release(self, command: Command) -> None:
        """Start a command that is held."""
        if command.exit_code is None:
            self._send("release", id=command.number)

    def signal(self, command: Command, signo: int, *, everyone: bool = False) -> None:
        """Send a signal to the command's first process, or to all of its processes. Nothing happens if it has ended."""
        if command.exit_code is None:
            self._send("signal", id=command.number, signo=signo, everyone=everyone)

    def resize(self, command: Command, rows: int, columns: int) -> None:
        """Tell the command's terminal its new size."""
        if command.exit_code is None:
            self._send("resize", id=command.number, rows=rows, cols=columns)

    def pump(self, timeout: float | None, watched: Mapping[int, int] | None = None) -> dict[int, int]:
        """Handle what the sentry says; return which of the ``watched`` descriptors (fd: poll events) are ready.

        Returns at the first event or after ``timeout`` seconds. Raises SandboxDied, or SandboxError with the sentry's own
        reason, once the sandbox is gone.
        """
        if self._death is not None:
            raise self._death
        for fd, events in (watched or {}).items():
            self._poll.register(fd, events)
        try:
            ready = dict(self._poll.poll(None if timeout is None else max(0, timeout * 1000)))
        finally:
            for fd in watched or {}:
                self._poll.unregister(fd)
        if ready.pop(self._channel.fileno(), 0):
            self._receive()
        return ready

    def continued_calls(self, timeout: float = ANSWER_PATIENCE) -> dict[str, int]:
        """Return how often each call of a guest was let through to the host. Raises SandboxError."""
        counts = self._query("continued", timeout).get("proceeds", {})
        return {str(name): count for name, count in counts.items() if isinstance(count, int)} if isinstance(counts, dict) else {}

    def census(self, timeout: float = ANSWER_PATIENCE) -> dict[str, Any]:
        """Return what the guests have asked for so far (``sentry/trace/census.py``). Raises SandboxError."""
        return self._query("census", timeout)

    def processes(self, timeout: float = ANSWER_PATIENCE) -> list[dict[str, Any]]:
        """Return the programs inside (``sentry/boot/report.py``). Raises SandboxError."""
        return list(self._query("processes", timeout).get("processes", ()))

    def tasks(self, timeout: float = ANSWER_PATIENCE) -> list[dict[str, Any]]:
        """Return each task with what it does (``sentry/boot/report.py``). Raises SandboxError."""
        return list(self._query("tasks", timeout).get("tasks", ()))

    def pause(self, timeout: float = ANSWER_PATIENCE) -> None:
        """Let all programs stand still; they do not notice. Raises SandboxError."""
        self._ask("pause", timeout)

    def resume(self, timeout: float = ANSWER_PATIENCE) -> None:
        """Let them go on. Raises SandboxError."""
        self._ask("resume", timeout)

    def update(self, memory: int | None, pids_limit: int | None, timeout: float = ANSWER_PATIENCE) -> None:
        """Change limits of the running sandbox. Raises SandboxError if one cannot be changed."""
        numbers = {"memory": -1 if memory is None else memory, "pids": -1 if pids_limit is None else pids_limit}
        told = self._ask("update", timeout, numbers)
        if told.get("refused"):
            raise SandboxError(str(told["refused"]))

    def _query(self, what: str, timeout: float) -> dict[str, Any]:
        return self._ask("query", timeout, {"what": what})

    def _ask(
        self, kind: str, timeout: float, fields: Mapping[str, Any] | None = None, fds: "list[int] | tuple[()]" = ()
    ) -> dict[str, Any]:
        self._answers.clear()
        self._send(kind, fds, **(fields or {}))
        deadline = time.monotonic() + timeout
        while not self._answers:
            left = deadline - time.monotonic()
            if left <= 0:
                raise SandboxError("the sentry does not answer")
            self.pump(left)
        return self._answers.pop()

    def export_changes(self, fd: int, timeout: float = 600.0) -> int:
        """Write what has changed in the image into the host file ``fd``, as a layer; returns what had to be left out.

        The programs stand still meanwhile. Raises SandboxError.
        """
        self._answers.clear()
        self._send("export", [fd], id=0)
        deadline = time.monotonic() + timeout
        while not self._answers:
            left = deadline - time.monotonic()
            if left <= 0:
                raise SandboxError("the sentry does not answer")
            self.pump(left)
        answer = self._answers.pop()
        errno = _number(answer, "errno")
        if errno:
            raise SandboxError(f"the changes cannot be written: {os.strerror(errno)}")
        return _number(answer, "left_out")

    def restore_changes(self, fd: int, timeout: float = 600.0) -> None:
        """Put back what ``export_changes`` has written into the host file ``fd``. Raises SandboxError."""
        answer = self._ask("restore", timeout, {}, [fd])
        if errno := _number(answer, "errno"):
            raise SandboxError(f"what the sandbox had changed cannot be put back: {os.strerror(errno)}")

    def copy(self, kind: str, path: bytes, fd: int = -1, name: bytes = b"", timeout: float = 600.0) -> int:
        """``copy_out``, ``copy_in`` or ``stat`` (``sentry/boot/copying.py``). Raises OSError with the guest's error number."""
        answer = self._ask(kind, timeout, {"path": path, "name": name}, [fd] if fd >= 0 else ())
        errno = _number(answer, "errno")
        if errno:
            raise OSError(errno, os.strerror(errno), os.fsdecode(path))
        return _number(answer, "value")

    def wait(self, command: Command, timeout: float | None = None) -> int | None:
        """Return the exit code, None after ``timeout`` seconds. Raises SandboxDied."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while command.exit_code is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            self.pump(left)
        return command.exit_code

    def close(self, grace: float = STOP_GRACE) -> None:
        """End everything: ask the sentry, after ``grace`` seconds kill it; then the gofers. Idempotent."""
        sentry, self._sentry = self._sentry, None
        if sentry is not None:
            with contextlib.suppress(ChannelClosed, OSError):
                sentry.channel.send("stop")
            _wait_for_end(sentry, grace)
            sentry.kill()
            sentry.channel.close()
        for gofer in self._gofers:
            gofer.stop()
        self._gofers.clear()
        self._close_records()
        if self._way is not None:
            self._way.stop()
            self._way = None
        if self._log_fd >= 0:
            os.close(self._log_fd)
            self._log_fd = -1
        if self._image_fd >= 0:
            os.close(self._image_fd)
            self._image_fd = -1
        if self._death is None:
            self._death = SandboxDied("the sandbox is closed")

    def _send(self, kind: str, fds: "list[int] | tuple[()]" = (), **fields: object) -> None:
        if self._death is not None:
            raise self._death
        try:
            self._channel.send(kind, fds, **fields)
        except ChannelClosed:
            self._died()
            raise self._death from None  # type: ignore[misc]

    def _receive(self) -> None:
        try:
            messages = self._channel.receive()
        except (ChannelClosed, ProtocolError):
            self._died()
            raise self._death from None  # type: ignore[misc]
        for message, fds in messages:
            for fd in fds:
                os.close(fd)
            self._handle(message)

    def _handle(self, message: dict[str, Any]) -> None:
        kind = message["kind"]
        if kind == "started":
            self.info = message
        elif kind == "prepared":
            if _number(message, "id") in self._commands:
                self._commands[_number(message, "id")].is_prepared = True
        elif kind == "exited":
            command = self._commands.pop(_number(message, "id"), None)
            if command is not None:
                command.finish(_number(message, "code") & 0xFF, _number(message, "signal") & 0x7F)
        elif kind == "failed":
            command = self._commands.pop(_number(message, "id"), None)
            text, code = one_line(message.get("message", "")), _number(message, "exit_code") & 0xFF
            if command is None:
                self._death = SandboxError(text, code)
                raise self._death
            command.finish(code, failure=_explained(text, code))
        elif kind in {"answer", "exported", "paused", "resumed", "updated", "copied"}:
            self._answers.append(message)
        elif kind == "log":
            self._on_log(one_line(message.get("line", ""), _LINE_MAX))

    def _died(self) -> None:
        """The sentry is gone: find out how, and end what is left."""
        reason = "ended"
        sentry = self._sentry
        if sentry is not None:
            _wait_for_end(sentry, 0.5)
            sentry.kill()
            status = sentry.status or 0
            if os.WIFSIGNALED(status):
                reason = f"was killed by {_signal_name(os.WTERMSIG(status))}"
            elif os.WIFEXITED(status):
                reason = f"ended by itself with status {os.WEXITSTATUS(status)}"
        if self._death is None:
            self._death = SandboxDied(f"the sentry {reason}; the sandbox is gone")


def _explained(text: str, exit_code: int) -> str:
    """Why nothing starts on this host if that is known, else ``text``."""
    if exit_code != EXIT_OURS:
        return text
    from sandboxctl.doctor.calls import why_nothing_starts

    return why_nothing_starts() or text


def _open_folder(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SandboxError(f"--overlay: cannot open {path!r}: {error.strerror}") from None


def _number(message: dict[str, Any], key: str) -> int:
    value = message.get(key, 0)
    return value if isinstance(value, int) else 0


def _wait_for_end(sentry: SentryProcess, timeout: float) -> None:
    """Wait until the process has ended, at most ``timeout`` seconds."""
    if sentry.poll() is not None:
        return
    try:
        fd = os.pidfd_open(sentry.pid)
    except OSError:
        return
    try:
        waiter = select.poll()
        waiter.register(fd, select.POLLIN)
        waiter.poll(timeout * 1000)
        sentry.poll()
    finally:
        os.close(fd)


def _signal_name(signo: int) -> str:
    try:
        return signal.Signals(signo).name
    except ValueError:
        return f"signal {signo}"


def _log_to_stderr(line: str) -> None:
    is_event = line.startswith("{")  # --trace-json: nothing but JSON
    sys.stderr.write(f"{line}\n" if is_event else f"sandboxctl: {line}\n")
