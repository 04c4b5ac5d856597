"""Configurations as plain values, for the record and the keeper's socket."""

from dataclasses import asdict, fields, is_dataclass, replace
from typing import Any

from sandboxctl import config as configs
from sandboxctl.config import Capabilities, CommandConfig, Identity, Rlimit, SandboxConfig

_KIND = "kind of object"
_SETS = ("bounding", "inheritable", "ambient")


def to_plain(command: CommandConfig) -> dict[str, Any]:
    """Dictionaries, lists, texts and numbers. A time limit is the caller's to keep: it is left out."""
    return asdict(replace(command, timeout=None))


def from_plain(values: dict[str, Any]) -> CommandConfig:
    """What ``to_plain`` was given. Raises TypeError, KeyError, ValueError for anything else."""
    who, caps, score = values["identity"], values.get("capabilities"), values.get("oom_score_adj")
    return CommandConfig(
        argv=tuple(_text(word) for word in values["argv"]),
        env={_text(name): _text(value) for name, value in values["env"].items()},
        identity=Identity(int(who["uid"]), int(who["gid"]), tuple(int(group) for group in who["groups"]), _text(who["home"])),
        cwd=_text(values["cwd"]),
        rlimits=tuple(Rlimit(int(one["resource"]), int(one["soft"]), int(one["hard"])) for one in values["rlimits"]),
        tty=bool(values["tty"]),
        interactive=bool(values["interactive"]),
        umask=int(values.get("umask", 0o022)) & 0o777,
        no_new_privileges=bool(values.get("no_new_privileges")),
        capabilities=None if caps is None else Capabilities(*(int(caps[name]) for name in _SETS)),
        seccomp=_text(values.get("seccomp", "")),
        oom_score_adj=None if score is None else int(score),
    )


def config_to_plain(config: SandboxConfig) -> dict[str, Any]:
    """The configuration for the record; the objects in it keep the names of their classes."""
    made = _plain(config)
    assert isinstance(made, dict)
    return made


def config_from_plain(values: dict[str, Any]) -> SandboxConfig:
    """What ``config_to_plain`` was given; what a newer version wrote beside it is left out. Raises TypeError, ValueError."""
    made = _object(values)
    if not isinstance(made, SandboxConfig):
        raise TypeError("no configuration of a sandbox")
    return made


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {_KIND: type(value).__name__, **{one.name: _plain(getattr(value, one.name)) for one in fields(value)}}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"no plain form of {value!r}")


def _object(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_object(item) for item in value)
    if not isinstance(value, dict):
        return value
    kind = value.get(_KIND)
    if kind is None:
        return {name: _object(item) for name, item in value.items()}
    made = getattr(configs, kind, None)
    if not (isinstance(made, type) and is_dataclass(made)):
        raise TypeError(f"{kind!r} is not an object of a configuration")
    known = {one.name for one in fields(made)}
    return made(**{name: _object(item) for name, item in value.items() if name in known})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
