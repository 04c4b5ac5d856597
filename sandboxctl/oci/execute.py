"""exec: a further program, for which a proxy stands on the host; each of the two ends with the other."""

import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from sandboxctl.errors import SandboxError
from sandboxctl.oci import life, spec
from sandboxctl.oci.arguments import Arguments
from sandboxctl.oci.create import close_inherited, worded, write_pid_file
from sandboxctl.state.folder import States
from sandboxctl.state.link import Link
from sandboxctl.state.plain import from_plain, to_plain
from sandboxctl.state.record import PAUSED, RUNNING, Record
from sandboxctl.terminal import size

if TYPE_CHECKING:
    from sandboxctl.config import CommandConfig

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def execute(states: States, arguments: Arguments) -> int:
    """``exec [--process FILE] [--detach] ID [COMMAND...]``."""
    close_inherited()
    if arguments.flag("preserve-fds") not in {"", "0"}:
        raise SandboxError("--preserve-fds is not supported: the guest holds no descriptor of the host but 0, 1 and 2")
    record = life.find(states, arguments.ident)
    if record.status == PAUSED:
        raise SandboxError("cannot exec in a paused container")
    if record.status != RUNNING:
        raise SandboxError("cannot exec in a container that is not running: container not running")
    command = _command(record, arguments)
    if command.tty and not arguments.flag("console-socket"):
        raise SandboxError("cannot allocate a terminal without --console-socket")
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _proxy(Link, states.path(record.id), command, arguments.flag("console-socket"), writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode("utf-8", "replace")
    if said != "ok":
        os.waitpid(pid, 0)
        code, _, text = said.partition(" ")
        raise worded(SandboxError(text or "the proxy of the program died", int(code or 1)))
    write_pid_file(arguments.flag("pid-file"), pid)
    if arguments.flag("detach"):
        return 0
    status = os.waitpid(pid, 0)[1]
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _command(record: Record, arguments: Arguments) -> "CommandConfig":
    root = record.image.removeprefix("dir:")
    if arguments.flag("process"):
        return _within(from_plain(record.command), spec.command_of(spec.read(arguments.flag("process")), root))
    base = to_plain(from_plain(record.command))
    base["argv"] = arguments.rest[1:]
    if not base["argv"]:
        raise SandboxError("exec: no command was given")
    base["tty"] = bool(arguments.flag("tty"))
    base["cwd"] = arguments.flag("cwd") or base["cwd"]
    base["env"].update(item.partition("=")[::2] for item in arguments.all("env"))
    if arguments.flag("user"):
        uid, _, gid = arguments.flag("user").partition(":")
        if not uid.isdecimal() or not (gid or "0").isdecimal():
            raise SandboxError("exec: --user takes UID[:GID] in numbers")
        base["identity"] = {"uid": int(uid), "gid": int(gid or 0), "groups": (), "home": "/"}
    return from_plain(base)


def _within(first: "CommandConfig", command: "CommandConfig") -> "CommandConfig":
    """Under the container's filter, and with its capabilities and score where it says none, as runc has it.

    Raises SandboxError for further capabilities.
    """
    command = replace(command, seccomp=first.seccomp)
    if command.oom_score_adj is None:
        command = replace(command, oom_score_adj=first.oom_score_adj)
    if command.capabilities is None:
        return replace(command, capabilities=first.capabilities)
    if first.capabilities is not None and command.capabilities.bounding & ~first.capabilities.bounding:
        raise SandboxError("exec: capabilities that the container has not got; give them to it when it is made (--cap-add)")
    return command


def _proxy(connect: type[Link], folder: str, command: "CommandConfig", console: str, writer: int) -> NoReturn:
    code, signo = 1, 0
    try:
        os.setsid()
        link = connect(folder)
        fds, numbers, rows, columns = [0, 1, 2], [0, 1, 2], 0, 0
        if command.tty:
            from sandboxctl.oci.console import open_console

            null = os.open("/dev/null", os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)  # the engine reads its pipes to their end
            slave = open_console(console)
            fds, numbers = [slave, slave], [0, 1]
            rows, columns = size(slave)
            signal.signal(
                signal.SIGWINCH,
                lambda _signo, _frame: link.channel.send("exec_resize", rows=size(slave)[0], cols=size(slave)[1]),
            )
        for number in _FORWARDED:
            signal.signal(number, lambda number, _frame: link.channel.send("exec_signal", signo=number))
        link.ask("exec", fds, command=to_plain(command), streams=numbers, detach=False, rows=rows, cols=columns)
        if command.tty and size(fds[0]) != (rows, columns):  # the engine was faster
            rows, columns = size(fds[0])
            link.channel.send("exec_resize", rows=rows, cols=columns)
        os.write(writer, b"ok")
        os.close(writer)
        writer = -1
        end = link.answer()
        code, signo = int(end["code"]), int(end["signal"])
    except SandboxError as error:
        if writer >= 0:
            os.write(writer, f"{error.exit_code} {error}".encode())
        code = error.exit_code
    except BaseException as error:  # the last door of this process: whoever waits must hear of it
        if writer >= 0:
            os.write(writer, f"1 the proxy failed: {type(error).__name__}".encode())
    if signo:
        if signo not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(signo, signal.SIG_DFL)
        os.kill(os.getpid(), signo)
    os._exit(code)
