"""pause, resume, update, events, ps and spec: what engines ask of a running container beyond its life cycle."""

import json
import os
import select
import sys
from typing import Any

from sandboxctl.errors import SandboxError
from sandboxctl.oci import cgroups, life
from sandboxctl.oci.arguments import Arguments
from sandboxctl.state.folder import States
from sandboxctl.state.link import Link
from sandboxctl.state.record import Record

_FLAGS = {
    "memory": ("memory", "limit"),
    "pids-limit": ("pids", "limit"),
    "cpu-period": ("cpu", "period"),
    "cpu-quota": ("cpu", "quota"),
    "cpu-share": ("cpu", "shares"),
    "cpuset-cpus": ("cpu", "cpus"),
    "cpuset-mems": ("cpu", "mems"),
}
_TEXTS = {"cpus", "mems"}
_FILE_MAX = 1 << 20


def _link(states: States, record: Record) -> Link:
    if not record.pid:
        raise SandboxError("container not running")
    return Link(states.path(record.id))


def pause(states: States, arguments: Arguments) -> int:
    """``pause ID``."""
    link = _link(states, life.find(states, arguments.ident))
    link.ask("pause")
    return 0


def resume(states: States, arguments: Arguments) -> int:
    """``resume ID``."""
    link = _link(states, life.find(states, arguments.ident))
    link.ask("resume")
    return 0


def processes(states: States, arguments: Arguments) -> int:
    """``ps ID``: the host's numbers of the guest's processes; the table is what the host's ps(1) shows of them."""
    record = life.find(states, arguments.ident)
    found = _processes(states, record)
    pids = [int(one["host_pid"]) for one in found]
    if arguments.flag("format") == "json":
        sys.stdout.write(json.dumps(pids) + "\n")
        return 0
    rows = [("UID", "PID", "PPID", "CMD")]
    for one in found:
        words = one["arguments"].rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace")
        name = one["name"].decode("utf-8", "replace")
        rows.append((str(one["uid"]), str(one["host_pid"]), str(one["ppid"]), words or f"[{name}]"))
    sys.stdout.write("".join(f"{uid:<8} {pid:>8} {ppid:>8} {words}\n" for uid, pid, ppid, words in rows))
    return 0


def _processes(states: States, record: Record) -> list[dict[str, Any]]:
    link = _link(states, record)
    found: list[dict[str, Any]] = link.ask("processes")["processes"]
    link.close()
    return found


def update(states: States, arguments: Arguments) -> int:
    """``update [--resources FILE|-] ID``: in the sandbox where it has such a limit, else in its control group."""
    record = life.find(states, arguments.ident)
    resources = _resources(arguments)
    if not record.is_alive and record.status != "created":
        raise SandboxError("container not running")
    memory = (resources.get("memory") or {}).get("limit") or 0
    tasks = (resources.get("pids") or {}).get("limit") or 0
    missing = cgroups.apply(record.cgroups, resources, ("cpu",))
    link = Link(states.path(record.id))
    for name, key, value in (("memory.limit", "memory", memory), ("pids.limit", "pids_limit", tasks)):
        if value <= 0:
            continue
        try:
            numbers = {"memory": value if key == "memory" else None, "pids_limit": value if key == "pids_limit" else None}
            link.ask("update", (), restart=None, **numbers)
        except SandboxError:
            section = name.partition(".")[0]
            missing += cgroups.apply(record.cgroups, {section: {"limit": value}}, (section,))
    link.close()
    if missing:
        raise SandboxError(f"cannot update {', '.join(missing)}: the container has no control group for it that can be written")
    return 0


def _resources(arguments: Arguments) -> dict[str, Any]:
    path = arguments.flag("resources")
    if path:
        from sandboxctl.oci import spec

        return spec.parse(sys.stdin.read(_FILE_MAX), "standard input") if path == "-" else spec.read(path)
    made: dict[str, Any] = {}
    for flag, (section, key) in _FLAGS.items():
        value = arguments.flag(flag)
        if not value:
            continue
        if key not in _TEXTS and not value.removeprefix("-").isdecimal():
            raise SandboxError(f"--{flag}: {value!r} is not a number")
        made.setdefault(section, {})[key] = value if key in _TEXTS else int(value)
    return made


def events(states: States, arguments: Arguments) -> int:
    """``events [--stats] [--interval TIME] ID``: usage as runc writes it, once or again and again."""
    record = life.find(states, arguments.ident)
    seconds = 5.0
    if arguments.flag("interval"):
        from sandboxctl.options.quantity import duration

        seconds = duration(arguments.flag("interval"), "--interval")
    while True:
        _print_stats(states, record)
        if arguments.flag("stats"):
            return 0
        select.select([], [], [], seconds)
        fresh = states.look(record.id)
        if fresh is None or not fresh.is_alive:
            return 0


def _print_stats(states: States, record: Record) -> None:
    found = _processes(states, record)
    memory = sum(int(one["memory"]) for one in found)
    limits = record.resources
    limit = (limits.get("memory") or {}).get("limit") or 0
    data = {
        "cpu": {"usage": {"total": sum(int(one["cpu_ns"]) for one in found)}},
        "memory": {"usage": {"usage": memory, "limit": limit if limit > 0 else (1 << 63) - 4096}},
        "pids": {"current": sum(int(one["threads"]) for one in found), "limit": (limits.get("pids") or {}).get("limit") or 0},
    }
    sys.stdout.write(json.dumps({"type": "stats", "id": record.id, "data": data}) + "\n")
    sys.stdout.flush()


def spec_file(states: States, arguments: Arguments) -> int:
    """``spec [--bundle DIR]``: write an example config.json."""
    from sandboxctl.oci.example import EXAMPLE

    path = os.path.join(arguments.flag("bundle") or ".", "config.json")
    try:
        with open(path, "x", encoding="utf-8") as file:
            json.dump(EXAMPLE, file, indent=4)
            file.write("\n")
    except FileExistsError:
        raise SandboxError(f"file {path} exists; remove it first") from None
    return 0


def checkpoint(states: States, arguments: Arguments) -> int:
    """``checkpoint`` and ``restore``: refused until they exist."""
    raise SandboxError(f"{arguments.command} is not supported: a sandbox cannot be saved yet; stop it and start it again")
