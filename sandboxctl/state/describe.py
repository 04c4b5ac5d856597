"""What ``inspect`` tells of a sandbox, with podman's and docker's names."""

import os
from datetime import UTC, datetime
from typing import Any

from sandboxctl.state.folder import States
from sandboxctl.state.log_file import NAME as LOG_NAME
from sandboxctl.state.record import CREATED, PAUSED, RUNNING, Record

_STATUS = {CREATED: "created", RUNNING: "running", PAUSED: "paused"}


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z") if seconds else "0001-01-01T00:00:00Z"


def inspect(states: States, record: Record) -> dict[str, Any]:
    """The object for one sandbox."""
    command, config = record.command, record.config
    policy, _, retries = (record.restart or "no").partition(":")
    identity = command.get("identity") or {}
    return {
        "Id": record.id,
        "Name": record.name,
        "Created": _stamp(record.created),
        "Path": record.argv[0] if record.argv else "",
        "Args": record.argv[1:],
        "State": {
            "Status": _STATUS.get(record.status, "exited"),
            "Running": record.is_alive,
            "Paused": record.status == PAUSED,
            "Pid": record.pid,
            "ExitCode": record.exit_code,
            "Error": record.error,
            "StartedAt": _stamp(record.started),
            "FinishedAt": _stamp(record.finished),
        },
        "Image": str(config.get("image", "")).removeprefix("sha256:"),
        "ImageName": record.image,
        "RestartCount": record.restarts,
        "LogPath": os.path.join(states.path(record.id), LOG_NAME),
        "StateFolder": states.path(record.id),
        "Mounts": [_mount(one) for one in config.get("mounts") or ()],
        "Config": {
            "Hostname": config.get("hostname", ""),
            "User": f"{identity.get('uid', 0)}:{identity.get('gid', 0)}",
            "Env": [f"{name}={value}" for name, value in (command.get("env") or {}).items()],
            "Cmd": record.argv,
            "WorkingDir": command.get("cwd", "/"),
            "Labels": record.labels,
            "Annotations": record.annotations,
            "Tty": bool(command.get("tty")),
            "OpenStdin": bool(command.get("interactive")),
            "StopSignal": record.stop_signal,
        },
        "HostConfig": {
            "AutoRemove": record.auto_remove,
            "Memory": config.get("memory") or 0,
            "PidsLimit": config.get("pids_limit") or 0,
            "ReadonlyRootfs": bool(config.get("read_only")),
            "ShmSize": config.get("shm_size") or 0,
            "RestartPolicy": {"Name": policy, "MaximumRetryCount": int(retries or 0)},
            "Init": bool(config.get("init")),
        },
    }


def _mount(one: dict[str, Any]) -> dict[str, Any]:
    kind = "bind" if "source" in one else "tmpfs"
    return {
        "Type": kind,
        "Source": one.get("source", ""),
        "Destination": one.get("destination", ""),
        "RW": not one.get("read_only"),
    }
