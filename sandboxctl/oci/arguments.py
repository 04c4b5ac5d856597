"""The words of a runtime's command line: global flags, the command, its flags, its operands."""

from sandboxctl.errors import SandboxError

#: flag name: whether it takes a value. runc's; what we cannot honour is accepted only if it weakens nothing.
GLOBAL = {
    "root": True,
    "log": True,
    "log-format": True,
    "debug": False,
    "debug-log": True,
    "systemd-cgroup": False,
    "cgroup-manager": True,
    "rootless": True,
    "criu": True,
    "version": False,
    "platform": True,
    "profile": True,
}
_COMMANDS: dict[str, dict[str, bool]] = {
    "create": {
        "bundle": True,
        "console-socket": True,
        "pid-file": True,
        "no-pivot": False,
        "no-new-keyring": False,
        "preserve-fds": True,
    },
    "start": {},
    "state": {},
    "kill": {"all": False},
    "delete": {"force": False},
    "list": {"format": True, "quiet": False},
    "ps": {"format": True},
    "features": {},
    "pause": {},
    "resume": {},
    "events": {"stats": False, "interval": True},
    "spec": {"bundle": True, "rootless": False},
    "update": dict.fromkeys(
        (
            "resources", "memory", "memory-reservation", "memory-swap", "pids-limit", "blkio-weight", "cpu-period", "cpu-quota",
            "cpu-share", "cpu-rt-period", "cpu-rt-runtime", "cpuset-cpus", "cpuset-mems", "l3-cache-schema", "mem-bw-schema",
        ),
        True,
    ),
    "version": {},
    "help": {},
    "exec": {
        "process": True,
        "detach": False,
        "pid-file": True,
        "console-socket": True,
        "tty": False,
        "preserve-fds": True,
        "cwd": True,
        "env": True,
        "user": True,
    },
}
_COMMANDS["run"] = {**_COMMANDS["create"], "detach": False}
_SHORT = {
    "b": "bundle",
    "a": "all",
    "f": "force",
    "q": "quiet",
    "p": "process",
    "d": "detach",
    "t": "tty",
    "e": "env",
    "u": "user",
    "v": "version",
    "h": "help",
}
_SHORT_OF = {"list": {"f": "format"}, "ps": {"f": "format"}, "update": {"r": "resources"}}


class Arguments:
    """A command, its flags with those before it, and what else was given."""

    def __init__(self, command: str, flags: dict[str, list[str]], rest: list[str]) -> None:
        self.command = command
        self.rest = rest
        self._flags = flags

    def flag(self, name: str) -> str:
        """The value that was given last, "true" for a switch; empty if it was not given."""
        return self._flags.get(name, [""])[-1]

    def all(self, name: str) -> list[str]:
        """Every value of a flag that may be repeated."""
        return self._flags.get(name, [])

    @property
    def ident(self) -> str:
        """The container's id. Raises SandboxError."""
        if not self.rest:
            raise SandboxError(f"{self.command}: no container id was given")
        ident = self.rest[0]
        good = ident.replace("_", "a").replace("+", "a").replace("-", "a").replace(".", "a")
        if not (good.isascii() and good.isalnum()) or ident.startswith(".") or len(ident) > 1024:
            raise SandboxError(f"invalid container id {ident!r}: letters, digits, '_', '+', '-' and '.' only")
        return ident


def parse(words: list[str]) -> Arguments:
    """Take a command line apart. Raises SandboxError for what is not known."""
    flags: dict[str, list[str]] = {}
    rest = _flags(words, {**GLOBAL, "help": False}, {"v": "version", "h": "help"}, flags)
    if "version" in flags:
        return Arguments("version", flags, [])
    if "help" in flags:
        return Arguments("help", flags, [])
    if not rest:
        raise SandboxError("no command; an engine calls this with create, start, state, kill, delete, exec, ps, list or features")
    command, *rest = rest
    if command not in _COMMANDS:
        return Arguments(command, flags, rest)
    rest = _flags(rest, {**_COMMANDS[command], "help": False}, {**_SHORT, **_SHORT_OF.get(command, {})}, flags)
    if "help" in flags:
        return Arguments("help", flags, [command])
    return Arguments(command, flags, rest)


def usage(command: str = "") -> str:
    """What can be written behind the program's name, or behind one command. Raises SandboxError."""
    if not command:
        lines = [f"  {name}" for name in sorted(_COMMANDS)]
        return "\n".join(["usage: sandboxctl-oci [FLAGS] COMMAND [FLAGS] [ID]", "", "commands:", *lines, "", *_listed(GLOBAL)])
    if command not in _COMMANDS:
        raise SandboxError(f"{command} is not supported by sandboxctl-oci")
    return "\n".join([f"usage: sandboxctl-oci {command} [FLAGS] [ID] [...]", "", *_listed(_COMMANDS[command])])


def _listed(known: dict[str, bool]) -> list[str]:
    return ["flags:", *(f"  --{name}{' VALUE' if takes else ''}" for name, takes in sorted({**known, "help": False}.items()))]


def _flags(words: list[str], known: dict[str, bool], short: dict[str, str], found: dict[str, list[str]]) -> list[str]:
    """Read flags up to the first other word; return the rest."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        word = words[at]
        at += 1
        if word == "--":
            break
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("--"):
            name = short.get(name, name)
        if name not in known:
            raise SandboxError(f"flag provided but not defined: {word}")
        if known[name] and not equals:
            if at == len(words):
                raise SandboxError(f"flag needs an argument: {word}")
            value = words[at]
            at += 1
        found.setdefault(name, []).append(value if known[name] else value or "true")
    return words[at:]
