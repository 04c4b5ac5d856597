"""``--change``: Dockerfile instructions that alter an image's configuration (import, commit)."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

from sandboxctl.errors import OptionError
from sandboxctl.store.manifest import Settings

KNOWN = ("CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR")


def apply(settings: Settings, changes: Sequence[str]) -> None:
    """Alter ``settings``. Raises OptionError."""
    for text in changes:
        word, _, rest = text.strip().partition(" ")
        if "=" in word and not rest:  # podman also takes CMD=/bin/sh
            word, _, rest = text.strip().partition("=")
        name, rest = word.upper(), rest.strip()
        if name not in KNOWN or not rest:
            raise OptionError(f"--change: {text!r} must be one of {', '.join(KNOWN)} with a value")
        _change(settings, name, rest)


def _change(settings: Settings, name: str, rest: str) -> None:
    if name in {"CMD", "ENTRYPOINT"}:
        setattr(settings, name.lower(), _command(rest))
    elif name in {"ENV", "LABEL"}:
        _assign(settings, name, rest)
    elif name == "EXPOSE":
        ports = [port if "/" in port else f"{port}/tcp" for port in rest.split()]
        settings.exposed_ports = {**(settings.exposed_ports or {}), **{port: {} for port in ports}}
    elif name == "VOLUME":
        paths = _list(rest) or rest.split()
        settings.volumes = {**(settings.volumes or {}), **{path: {} for path in paths}}
    elif name == "STOPSIGNAL":
        settings.stop_signal = rest
    elif name == "USER":
        settings.user = rest
    else:
        settings.working_dir = rest


def _assign(settings: Settings, name: str, rest: str) -> None:
    words = shlex.split(rest)
    pairs = [word.partition("=") for word in words]
    if not all(equals for _, equals, _ in pairs):  # the old form: NAME VALUE
        key, _, value = rest.partition(" ")
        pairs = [(key, "=", value.strip())]
    if name == "LABEL":
        settings.labels = {**(settings.labels or {}), **{key: value for key, _, value in pairs}}
        return
    env = dict(text.partition("=")[::2] for text in settings.env or [])
    env |= {key: value for key, _, value in pairs}
    settings.env = [f"{key}={value}" for key, value in env.items()]


def _list(text: str) -> list[str] | None:
    try:
        found: Any = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) and all(isinstance(word, str) for word in found) else None


def _command(text: str) -> list[str]:
    words = _list(text)
    return words if words is not None else ["/bin/sh", "-c", text]
