"""create and run: a sandbox for a bundle, whose keeper is the process that the engine watches."""

import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sandboxctl.config import Capabilities, CommandConfig, SandboxConfig
from sandboxctl.errors import EXIT_NOT_EXECUTABLE, SandboxError
from sandboxctl.oci import cgroups, life, spec
from sandboxctl.oci.arguments import Arguments
from sandboxctl.state.folder import States
from sandboxctl.state.launch import launch
from sandboxctl.state.plain import to_plain
from sandboxctl.state.record import Record

if TYPE_CHECKING:
    from sandboxctl.state.keeper import Keeper


def close_inherited() -> None:
    """Descriptors of the engine must not live as long as the container."""
    os.closerange(3, 1 << 16)


def note(arguments: Arguments, ignored: Sequence[str]) -> None:
    """Write to the file of ``--debug-log`` what was passed over: that of ``--log`` is for errors only, engines read it whole."""
    path = arguments.flag("debug-log")
    if path and ignored:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(f"{arguments.ident}: ignored: {line}\n" for line in ignored)


def _filtered(command: CommandConfig, linux: Mapping[str, Any]) -> CommandConfig:
    """Under the profile of ``linux.seccomp``, if there is one."""
    if not linux.get("seccomp"):
        return command
    from sandboxctl.oci.seccomp import program_of

    return replace(command, seccomp=program_of(linux["seccomp"]).hex())


def write_pid_file(path: str, pid: int) -> None:
    """By rename: a reader finds all of it or nothing."""
    if path:
        with open(f"{path}.new", "w", encoding="ascii") as file:
            file.write(str(pid))
        os.rename(f"{path}.new", path)


def create(states: States, arguments: Arguments) -> int:
    """``create --bundle DIR ID``."""
    _create(states, arguments)
    return 0


def run(states: States, arguments: Arguments) -> int:
    """``run [--detach] --bundle DIR ID``: create, start, wait and delete."""
    pid = _create(states, arguments)
    life.start(states, arguments)
    if arguments.flag("detach"):
        return 0
    status = os.waitpid(pid, 0)[1]
    life.delete(states, arguments)
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _create(states: States, arguments: Arguments) -> int:
    close_inherited()
    if arguments.flag("preserve-fds") not in {"", "0"}:
        raise SandboxError("--preserve-fds is not supported: the guest holds no descriptor of the host but 0, 1 and 2")
    ident = arguments.ident
    bundle = os.path.realpath(arguments.flag("bundle") or ".")
    found = spec.read(os.path.join(bundle, "config.json"))
    ignored: list[str] = []
    config = spec.sandbox_of(found, bundle, {name: arguments.flag(name) for name in ("platform", "profile")}, ignored)
    process = found.get("process") or {}
    linux = found.get("linux") or {}
    command = spec.command_of(process, config.image.removeprefix("dir:"))
    command = _filtered(command, linux)
    socket_path = arguments.flag("console-socket")
    if command.tty and not socket_path:
        raise SandboxError("cannot allocate a terminal without --console-socket")
    wanted = process.get("consoleSize") or {}
    console = (socket_path, wanted.get("height", 0), wanted.get("width", 0)) if command.tty else None
    place = linux.get("cgroupsPath") or ""
    if arguments.flag("systemd-cgroup"):
        place = cgroups.systemd_path(place, ident)
    record = Record(
        id=ident,
        image=config.image,
        argv=list(command.argv),
        created=time.time(),
        bundle=bundle,
        annotations=found.get("annotations") or {},
        hooks=found.get("hooks") or {},
        command=to_plain(command if command.capabilities else replace(command, capabilities=Capabilities(0))),
        resources=linux.get("resources") or {},
    )

    with states.claim(record):
        if os.geteuid() == 0:
            record.cgroups = cgroups.make(place)
            missing = cgroups.apply(record.cgroups, record.resources)
            ignored += [f"linux.resources.{name}: it cannot be written here" for name in missing]
        note(arguments, ignored)
        try:
            record.pid = launch(
                partial(_keeper, states, record, config, command), partial(_begin, console), keeps_streams=not command.tty
            )
        except SandboxError as error:
            cgroups.remove(record.cgroups)
            raise worded(error) from None
        try:
            _run_hooks(record)
            write_pid_file(arguments.flag("pid-file"), record.pid)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pid, signal.SIGKILL)
            cgroups.remove(record.cgroups)
            raise
    return record.pid


def _keeper(states: States, record: Record, config: SandboxConfig, command: CommandConfig) -> "Keeper":
    """In the control group, and the sentry first: it imports while we do (ADR 12). Raises SandboxError."""
    cgroups.enter(record.cgroups)
    from sandboxctl.launcher import start_sentry

    try:
        sentry = start_sentry()
    except OSError as error:
        raise SandboxError(f"cannot start a process: {error.strerror or error}") from None
    from sandboxctl.state.keeper import Keeper

    return Keeper(states, record, config, command, sentry)


def _begin(console: tuple[str, int, int] | None, keeper: "Keeper") -> None:
    """``console``: the socket that gets a new terminal, its rows and columns; else the engine's streams are the program's."""
    if keeper.record.hooks.get("startContainer"):
        from sandboxctl.oci.hooks import run_inside

        keeper.before_start = partial(run_inside, keeper)
    if console is None:
        keeper.begin({0: 0, 1: 1, 2: 2})
        return
    from sandboxctl.oci.console import open_console

    slave = open_console(*console)  # and none of the engine's pipes, which it reads to their end
    keeper.begin({0: slave, 1: slave}, console=slave)


def _run_hooks(record: Record) -> None:
    if record.hooks:
        from sandboxctl.oci.hooks import run_hooks

        for kind in ("prestart", "createRuntime", "createContainer"):
            run_hooks(record, kind)


def worded(error: SandboxError) -> SandboxError:
    """With the words by which engines know exit status 126."""
    if error.exit_code == EXIT_NOT_EXECUTABLE:
        return SandboxError(f"{error}: permission denied")
    return error
