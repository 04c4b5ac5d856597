"""The hooks of a container (config.md, "POSIX-platform Hooks"): programs of the host that get the state on standard input."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sandboxctl.config import CommandConfig, Identity
from sandboxctl.errors import SandboxError
from sandboxctl.oci.life import describe
from sandboxctl.state.record import Record

if TYPE_CHECKING:
    from sandboxctl.state.keeper import Keeper

_OUTPUT_MAX = 1000
_STATE_MAX = 1 << 16  # a pipe takes that much at once


def run_hooks(record: Record, kind: str, *, must_work: bool = True) -> None:
    """Run the hooks of one kind in their order. The first that fails raises SandboxError if they must work, else is reported."""
    hooks = record.hooks.get(kind) or []
    text = json.dumps(describe(record)).encode()
    for hook in hooks:
        try:
            _run(hook, text, kind)
        except SandboxError as error:
            if must_work:
                raise
            sys.stderr.write(f"{error}\n")


def run_inside(keeper: "Keeper") -> None:
    """Run the hooks startContainer: programs of the container, before its own. One that fails ends it. Raises SandboxError."""
    state = json.dumps({**describe(keeper.record), "status": "created"}).encode()
    for hook in keeper.record.hooks.get("startContainer") or []:
        path = hook.get("path", "")
        environment = dict(item.partition("=")[::2] for item in hook.get("env") or [])
        argv = tuple(hook.get("args") or [path])
        reader, writer = os.pipe2(os.O_CLOEXEC)
        try:
            os.write(writer, state[:_STATE_MAX])
            os.close(writer)
            what = CommandConfig((path, *argv[1:]), environment, Identity(0, 0), "/")
            command = keeper.session.run(what, {0: reader})
            code = keeper.session.wait(command, hook.get("timeout"))
        finally:
            os.close(reader)
        if code == 0:
            continue
        keeper.kill(signal.SIGKILL, everyone=True)
        if code is None:
            raise SandboxError(f"startContainer hook {path} ran longer than its {hook['timeout']} s")
        raise SandboxError(f"startContainer hook {path} failed: {command.failure or f'status {code}'}")


def _run(hook: Mapping[str, Any], state: bytes, kind: str) -> None:
    path = hook.get("path", "")
    args: Sequence[str] = hook.get("args") or [path]
    environment = dict(item.partition("=")[::2] for item in hook.get("env") or [])
    try:
        done = subprocess.run(
            list(args),
            executable=path,
            input=state,
            env=environment,
            timeout=hook.get("timeout"),
            capture_output=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SandboxError(f"{kind} hook {path} ran longer than its {hook['timeout']} s") from None
    except OSError as error:
        raise SandboxError(f"{kind} hook {path}: {error.strerror}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[:_OUTPUT_MAX]
        raise SandboxError(f"{kind} hook {path} failed with status {done.returncode}: {said}")
