"""What is known of one sandbox, as JSON in its folder; written by rename only, so a reader sees the old or the new record."""

import json
import os
from typing import Any

CREATED, RUNNING, PAUSED, STOPPED = "created", "running", "paused", "stopped"
_NAME = "record.json"
_DEFAULTS: dict[str, Any] = {
    "id": "",
    "name": "",
    "image": "",
    "argv": [],
    "status": CREATED,
    "pid": 0,  # of the keeper
    "created": 0.0,  # seconds since the epoch, as the next two
    "started": 0.0,
    "finished": 0.0,
    "exit_code": 0,
    "error": "",
    "labels": {},
    "auto_remove": False,
    "stop_signal": 15,
    "bundle": "",
    "annotations": {},
    "hooks": {},
    "cgroups": [],  # the host's groups that delete removes
    "resources": {},  # linux.resources of an engine
    "command": {},  # CommandConfig, as builtins
    "config": {},  # SandboxConfig, as builtins; empty for a container of an engine
    "restart": "",  # no, always, unless-stopped, on-failure, on-failure:N
    "restarts": 0,  # how often that was done
    "stopped_by_hand": False,
}


class Record:
    """One sandbox. Attributes are the keys of the file; keys that a newer version wrote are kept."""

    id: str
    name: str
    image: str
    argv: list[str]
    status: str
    pid: int
    created: float
    started: float
    finished: float
    exit_code: int
    error: str
    labels: dict[str, str]
    auto_remove: bool
    stop_signal: int
    bundle: str
    annotations: dict[str, str]
    hooks: dict[str, Any]
    cgroups: list[str]
    resources: dict[str, Any]
    command: dict[str, Any]
    config: dict[str, Any]
    restart: str
    restarts: int
    stopped_by_hand: bool

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(_DEFAULTS)
        self.__dict__.update(values)

    @classmethod
    def load(cls, folder: str) -> "Record":
        """Read the record in ``folder``. Raises OSError, ValueError."""
        with open(os.path.join(folder, _NAME), encoding="utf-8") as file:
            values = json.load(file)
        if not isinstance(values, dict):
            raise ValueError("a record is a JSON object")  # noqa: TRY004 - a file, not an argument
        for name, default in _DEFAULTS.items():
            if name in values and not isinstance(values[name], type(default)) and not isinstance(values[name], int):
                raise ValueError(f"{name} has the wrong type")
        return cls(**values)

    @property
    def is_alive(self) -> bool:
        """Whether its program runs or stands still."""
        return self.status in {RUNNING, PAUSED}

    def save(self, folder: str) -> None:
        """Replace the record in ``folder``. Raises OSError."""
        path = os.path.join(folder, _NAME)
        new = f"{path}.{os.getpid()}"
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w", encoding="utf-8") as file:
            json.dump(self.__dict__, file)
        os.rename(new, path)
