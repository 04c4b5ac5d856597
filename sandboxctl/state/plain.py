"""A ``CommandConfig`` as plain values, for the record and the keeper's socket."""

from dataclasses import asdict, replace
from typing import Any

from sandboxctl.config import CommandConfig, Identity, Rlimit


def to_plain(command: CommandConfig) -> dict[str, Any]:
    """Dictionaries, lists, texts and numbers. A time limit is the caller's to keep: it is left out."""
    return asdict(replace(command, timeout=None))


def from_plain(values: dict[str, Any]) -> CommandConfig:
    """What ``to_plain`` was given. Raises TypeError, KeyError, ValueError for anything else."""
    who = values["identity"]
    return CommandConfig(
        argv=tuple(_text(word) for word in values["argv"]),
        env={_text(name): _text(value) for name, value in values["env"].items()},
        identity=Identity(int(who["uid"]), int(who["gid"]), tuple(int(group) for group in who["groups"]), _text(who["home"])),
        cwd=_text(values["cwd"]),
        rlimits=tuple(Rlimit(int(one["resource"]), int(one["soft"]), int(one["hard"])) for one in values["rlimits"]),
        tty=bool(values["tty"]),
        interactive=bool(values["interactive"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
