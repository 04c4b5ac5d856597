"""start, state, kill, delete, list and ps of the runtime specification (runtime.md, "Operations")."""

import json
import sys
import time
from typing import Any

from sandboxctl.errors import SandboxError
from sandboxctl.oci.arguments import Arguments
from sandboxctl.state.folder import States
from sandboxctl.state.record import CREATED, STOPPED, Record

SPEC_VERSION = "1.2.0"


def find(states: States, ident: str) -> Record:
    """The record of a container. Raises SandboxError with the text that engines look for."""
    record = states.look(ident)
    if record is None:
        raise SandboxError("container does not exist")
    return record


def describe(record: Record) -> dict[str, Any]:
    """The state as runtime.md has it, and what runc adds."""
    created = int(record.created)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(created)) + f".{int((record.created - created) * 1e9):09d}Z"
    return {
        "ociVersion": SPEC_VERSION,
        "id": record.id,
        "pid": record.pid,
        "status": record.status,
        "bundle": record.bundle,
        "rootfs": record.image.removeprefix("dir:"),
        "created": stamp,
        "annotations": record.annotations,
        "owner": "",
    }


def state(states: States, arguments: Arguments) -> int:
    """``state ID``."""
    sys.stdout.write(json.dumps(describe(find(states, arguments.ident)), indent=2) + "\n")
    return 0


def list_all(states: States, arguments: Arguments) -> int:
    """``list``."""
    records = states.all()
    if arguments.flag("quiet"):
        sys.stdout.write("".join(f"{record.id}\n" for record in records))
    elif arguments.flag("format") == "json":
        sys.stdout.write(json.dumps([describe(record) for record in records]) + "\n")
    else:
        rows = [("ID", "PID", "STATUS", "BUNDLE", "CREATED")]
        for one in map(describe, records):
            rows.append((one["id"], str(one["pid"]), one["status"], one["bundle"], one["created"]))
        widths = [max(len(row[at]) for row in rows) for at in range(5)]
        sys.stdout.write("".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows))
    return 0


def start(states: States, arguments: Arguments) -> int:
    """``start ID``."""
    record = find(states, arguments.ident)
    if record.status != CREATED:
        raise SandboxError(f"cannot start a container that is {record.status}")
    from sandboxctl.state.link import Link

    link = Link(states.path(record.id))
    link.ask("start")
    link.close()
    if record.hooks:
        from sandboxctl.oci.hooks import run_hooks

        record.status = "running"
        run_hooks(record, "poststart", must_work=False)
    return 0


def kill(states: States, arguments: Arguments) -> int:
    """``kill [--all] ID [SIGNAL]``."""
    record = find(states, arguments.ident)
    signo = _signal_number(arguments.rest[1] if len(arguments.rest) > 1 else "TERM")
    if record.status == STOPPED:
        raise SandboxError("container not running")
    from sandboxctl.state.link import Link

    link = Link(states.path(record.id))
    link.ask("signal", signo=signo, everyone=bool(arguments.flag("all")))
    link.close()
    return 0


def _signal_number(text: str) -> int:
    if text.isdecimal() and int(text) <= 64:
        return int(text)
    import signal

    found = getattr(signal, f"SIG{text.upper().removeprefix('SIG')}", None)
    if not isinstance(found, signal.Signals):
        raise SandboxError(f"unknown signal {text!r}")
    return int(found)


def delete(states: States, arguments: Arguments) -> int:
    """``delete [--force] ID``; with --force one that is not there is no error, as runc has it."""
    is_forced = bool(arguments.flag("force"))
    record = states.look(arguments.ident)
    if record is None:
        if is_forced:
            return 0
        raise SandboxError("container does not exist")
    if record.status != STOPPED:
        if not is_forced and record.status != CREATED:
            raise SandboxError(f"cannot delete container {record.id} that is not stopped: {record.status}")
        from sandboxctl.state.ending import stop

        stop(states, record, 0)
    states.remove(record.id)
    if record.cgroups:
        from sandboxctl.oci import cgroups

        cgroups.remove(record.cgroups)
    if record.hooks:
        from sandboxctl.oci.hooks import run_hooks

        record.status, record.pid = STOPPED, 0
        run_hooks(record, "poststop", must_work=False)
    return 0
