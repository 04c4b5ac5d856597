"""``sandboxctl top``."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

import click

from sandboxctl.cli.detached import states
from sandboxctl.cli.listing import print_rows
from sandboxctl.errors import OptionError
from sandboxctl.state.link import Link

Process = Mapping[str, Any]


def _clock(nanoseconds: int) -> str:
    """``1h2m3.4s`` as podman writes durations."""
    seconds = nanoseconds / 1e9
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    head = f"{int(hours)}h" if hours else ""
    head += f"{int(minutes)}m" if minutes or hours else ""
    return f"{head}{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def words_of(process: Process) -> str:
    """Its command line, or its name in brackets if it has none (any more)."""
    words = [word.decode("utf-8", "replace") for word in process["arguments"].rstrip(b"\0").split(b"\0")]
    return shlex.join(words) if words != [""] else f"[{process['name'].decode('utf-8', 'replace')}]"


_FIELDS: dict[str, tuple[str, Callable[[Process], object]]] = {
    "args": ("COMMAND", words_of),
    "comm": ("COMMAND", lambda one: one["name"].decode("utf-8", "replace")),
    "etime": ("ELAPSED", lambda one: _clock(one["elapsed_ns"])),
    "group": ("GROUP", lambda one: one["gid"]),
    "hpid": ("HPID", lambda one: one["host_pid"]),
    "nice": ("NI", lambda one: one["nice"]),
    "pcpu": ("%CPU", lambda one: f"{100 * one['cpu_ns'] / max(1, one['elapsed_ns']):.3f}"),
    "pgid": ("PGID", lambda one: one["pgid"]),
    "pid": ("PID", lambda one: one["pid"]),
    "ppid": ("PPID", lambda one: one["ppid"]),
    "rss": ("RSS", lambda one: one["memory"] >> 10),
    "sid": ("SID", lambda one: one["sid"]),
    "state": ("STATE", lambda one: one["state"]),
    "time": ("TIME", lambda one: _clock(one["cpu_ns"])),
    "tty": ("TTY", lambda one: "?" if one["tty"] < 0 else f"pts/{one['tty']}"),
    "user": ("USER", lambda one: one["uid"]),
    "vsz": ("VSZ", lambda one: one["size"] >> 10),
}
_SAME = {"uid": "user", "gid": "group", "command": "args", "%cpu": "pcpu", "elapsed": "etime", "nlwp": "args"}
_DEFAULT = ("user", "pid", "ppid", "pcpu", "etime", "tty", "time", "args")


@click.command("top")
@click.argument("name", metavar="SANDBOX")
@click.argument("wanted", nargs=-1, metavar="[FIELD...]")
@click.option("--format", type=click.Choice(["json"]), help="As JSON.")
def command(name: str, wanted: tuple[str, ...], format: str | None) -> None:
    """List the processes in a running sandbox, with the numbers that they have there (HPID: the host's).

    FIELD: args comm etime group hpid nice pcpu pgid pid ppid rss sid state time tty user vsz. User and group are numbers.
    """
    names = [_SAME.get(word, word) for text in wanted for word in text.lower().split(",") if word] or list(_DEFAULT)
    for word in names:
        if word not in _FIELDS:
            raise OptionError(f"no field {word!r}; there are: {' '.join(_FIELDS)}")
    known = states()
    link = Link(known.path(known.find(name).id))
    found = link.ask("processes")["processes"]
    link.close()
    rows = [{_FIELDS[word][0]: _FIELDS[word][1](one) for word in names} for one in found]
    print_rows(rows, {_FIELDS[word][0]: _FIELDS[word][0] for word in names}, format)
