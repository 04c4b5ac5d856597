"""create and run: a sandbox for a bundle, whose keeper is the process that the engine watches."""

import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sandboxctl.config import Capabilities, CommandConfig
from sandboxctl.errors import EXIT_NOT_EXECUTABLE, SandboxError
from sandboxctl.oci import cgroups, life, spec
from sandboxctl.oci.arguments import Arguments
from sandboxctl.oci.hooks import run_hooks, run_inside
from sandboxctl.state.folder import States
from sandboxctl.state.keeper import Keeper
from sandboxctl.state.launch import launch
from sandboxctl.state.plain import to_plain
from sandboxctl.state.record import Record


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

    def begin(keeper: Keeper) -> None:
        cgroups.enter(record.cgroups)
        if record.hooks.get("startContainer"):
            keeper.before_start = partial(run_inside, keeper)
        if command.tty:
            from sandboxctl.oci.console import open_console

            wanted = process.get("consoleSize") or {}
            # and none of the engine's pipes, which it reads to their end
            slave = open_console(socket_path, wanted.get("height", 0), wanted.get("width", 0))
            keeper.begin({0: slave, 1: slave}, console=slave)
        else:
            keeper.begin({0: 0, 1: 1, 2: 2})

    with states.claim(record):
        if os.geteuid() == 0:
            record.cgroups = cgroups.make(place)
            missing = cgroups.apply(record.cgroups, record.resources)
            ignored += [f"linux.resources.{name}: it cannot be written here" for name in missing]
        note(arguments, ignored)
        try:
            record.pid = launch(lambda: Keeper(states, record, config, command), begin, keeps_streams=not command.tty)
        except SandboxError as error:
            cgroups.remove(record.cgroups)
            raise worded(error) from None
        try:
            for kind in ("prestart", "createRuntime", "createContainer"):
                run_hooks(record, kind)
            write_pid_file(arguments.flag("pid-file"), record.pid)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pid, signal.SIGKILL)
            cgroups.remove(record.cgroups)
            raise
    return record.pid


def worded(error: SandboxError) -> SandboxError:
    """With the words by which engines know exit status 126."""
    if error.exit_code == EXIT_NOT_EXECUTABLE:
        return SandboxError(f"{error}: permission denied")
    return error
