"""``sandboxctl top``."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

import click

from sandboxctl.cli.choice import complete
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


def _capabilities(mask: int) -> str:
    """``none``, ``full`` or names, as podman has them."""
    from syscalls.abi import capability

    if mask in {0, capability.ALL_CAPABILITIES}:
        return "full" if mask else "none"
    names = {number: name[4:] for name, number in vars(capability).items() if name.startswith("CAP_") and isinstance(number, int)}
    return ",".join(names.get(bit, str(bit)) for bit in range(mask.bit_length()) if mask >> bit & 1)


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
    "rgroup": ("RGROUP", lambda one: one["rgid"]),
    "ruser": ("RUSER", lambda one: one["ruid"]),
    "capamb": ("AMBIENT CAPS", lambda one: _capabilities(one["caps"][4])),
    "capbnd": ("BOUNDING CAPS", lambda one: _capabilities(one["caps"][3])),
    "capeff": ("EFFECTIVE CAPS", lambda one: _capabilities(one["caps"][2])),
    "capinh": ("INHERITED CAPS", lambda one: _capabilities(one["caps"][0])),
    "capprm": ("PERMITTED CAPS", lambda one: _capabilities(one["caps"][1])),
    "groups": ("GROUPS", lambda one: ",".join(map(str, one["groups"])) or one["gid"]),
    "user": ("USER", lambda one: one["uid"]),
    "vsz": ("VSZ", lambda one: one["size"] >> 10),
}
_SAME = {"uid": "user", "gid": "group", "command": "args", "%cpu": "pcpu", "elapsed": "etime"}
#: the codes of ps(1) of AIX
_CODES = {
    "%C": "pcpu", "%G": "group", "%P": "ppid", "%U": "user", "%a": "args", "%c": "comm", "%g": "rgroup", "%n": "nice",
    "%p": "pid", "%r": "pgid", "%t": "etime", "%u": "ruser", "%x": "time", "%y": "tty", "%z": "vsz",
}  # fmt: skip
_DEFAULT = ("user", "pid", "ppid", "pcpu", "etime", "tty", "time", "args")


@click.command("top", context_settings={"ignore_unknown_options": True})
@click.argument("name", metavar="SANDBOX", shell_complete=complete)
@click.argument("wanted", nargs=-1, metavar="[FIELD...]", type=click.UNPROCESSED)
@click.option("--format", type=click.Choice(["json"]), help="As JSON.")
def command(name: str, wanted: tuple[str, ...], format: str | None) -> int:
    """List the processes in a running sandbox, with the numbers that they have there (HPID: the host's).

    FIELD: args capamb capbnd capeff capinh capprm comm etime group groups hpid nice pcpu pgid pid ppid rgroup rss ruser sid state
    time tty user vsz, or a code of ps(1) like %C. Users and groups are numbers. What begins with a dash goes to the ps inside.

    \b
    Examples:
      sandboxctl top web pid user args
      sandboxctl top web -eo pid,comm
    """
    if any(word.startswith("-") for word in wanted):
        return _ps_inside(name, wanted)
    words = [word for text in wanted for word in text.split(",") if word]
    names = [_CODES.get(word) or _SAME.get(word.lower(), word.lower()) for word in words] or list(_DEFAULT)
    for word in names:
        if word not in _FIELDS:
            raise OptionError(f"no field {word!r}; there are: {' '.join(_FIELDS)}")
    known = states()
    link = Link(known.path(known.find(name).id))
    found = link.ask("processes")["processes"]
    link.close()
    rows = [{_FIELDS[word][0]: _FIELDS[word][1](one) for word in names} for one in found]
    print_rows(rows, {_FIELDS[word][0]: _FIELDS[word][0] for word in names}, format)
    return 0


def _ps_inside(name: str, words: tuple[str, ...]) -> int:
    """As podman: ps(1) of the image, in the sandbox."""
    from sandboxctl.cli import execute

    status = execute.command.main(["--", name, "ps", *words], prog_name="sandboxctl exec", standalone_mode=False)
    return int(status)
