"""``sandboxctl-oci``: runc's command line, for container engines.

An engine starts this three to five times per container: no click, no rich, and what a command does not need is not imported.
Errors are one line on standard error and, with ``--log``, one JSON object in that file; the exit status is then 1.
"""

import os
import sys
import time
from collections.abc import Callable

from sandboxctl.errors import SandboxError
from sandboxctl.oci.arguments import Arguments, parse
from sandboxctl.state import place
from sandboxctl.state.folder import States

VERSION_TEXT = "sandboxctl-oci version {}\nspec: 1.2.0"
_MANAGE = {
    "pause": "pause",
    "resume": "resume",
    "ps": "processes",
    "update": "update",
    "events": "events",
    "spec": "spec_file",
    "checkpoint": "checkpoint",
    "restore": "checkpoint",
}


def main() -> None:
    """Carry out ``sys.argv`` and exit."""
    os._exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """Carry out one command line; return the exit status."""
    try:
        arguments = parse(words)
    except SandboxError as error:
        sys.stderr.write(f"sandboxctl-oci: {error}\n")
        return 1
    try:
        status = _dispatch(arguments)
        sys.stdout.flush()
    except (SandboxError, OSError) as error:
        _complain(arguments, " ".join(str(error).split()))
        return 1
    return status


def _dispatch(arguments: Arguments) -> int:
    command = arguments.command
    if command == "version":
        from importlib.metadata import version

        sys.stdout.write(VERSION_TEXT.format(version("sandboxctl")) + "\n")
        return 0
    if command == "help":
        from sandboxctl.oci.arguments import usage

        sys.stdout.write(usage(*arguments.rest[:1]) + "\n")
        return 0
    if command == "features":
        from sandboxctl.oci.features import features

        sys.stdout.write(features() + "\n")
        return 0
    handler = _handler(command)
    root = arguments.flag("root") or os.path.join(place.default_root(), "oci")
    return handler(States(place.prepare(root)), arguments)


def _handler(command: str) -> Callable[[States, Arguments], int]:
    if command in {"create", "run"}:
        from sandboxctl.oci import create

        return create.create if command == "create" else create.run
    if command == "exec":
        from sandboxctl.oci import execute

        return execute.execute
    if command in _MANAGE:
        from sandboxctl.oci import manage

        return getattr(manage, _MANAGE[command])  # type: ignore[no-any-return]
    from sandboxctl.oci import life

    found: dict[str, Callable[[States, Arguments], int]] = {
        "start": life.start,
        "state": life.state,
        "kill": life.kill,
        "delete": life.delete,
        "list": life.list_all,
    }
    if command not in found:
        raise SandboxError(f"{command} is not supported by sandboxctl-oci")
    return found[command]


def _complain(arguments: Arguments, text: str) -> None:
    sys.stderr.write(f"{text}\n")
    path = arguments.flag("log")
    if not path:
        return
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if arguments.flag("log-format") == "json":
        import json

        line = json.dumps({"level": "error", "msg": text, "time": now})
    else:
        line = f'time="{now}" level=error msg="{text}"'
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError:
        sys.stderr.write(f"cannot write the log {path}\n")
