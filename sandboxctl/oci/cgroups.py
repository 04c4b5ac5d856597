"""The host's control groups of a container (config-linux.md, "Control groups"), in which its keeper and so all of it runs.

Engines read usage from them. The guests' memory and number are limited in a group of their own inside (the sentry's), so
that a guest at its limit does not end the sentry; what is set here is the rest: processor time and places, and later updates.
Where the host's groups cannot be written, all of this is left out.
"""

import contextlib
import os
import select
from collections.abc import Mapping
from typing import Any

from sandboxctl.errors import SandboxError

_MOUNT = "/sys/fs/cgroup"
_TRIES = 100
_TRY_S = 0.05
#: (section, key) of linux.resources: controller and file of version 1
_FILES = {
    ("cpu", "shares"): ("cpu", "cpu.shares"),
    ("cpu", "period"): ("cpu", "cpu.cfs_period_us"),
    ("cpu", "quota"): ("cpu", "cpu.cfs_quota_us"),
    ("cpu", "cpus"): ("cpuset", "cpuset.cpus"),
    ("cpu", "mems"): ("cpuset", "cpuset.mems"),
    ("pids", "limit"): ("pids", "pids.max"),
    ("memory", "limit"): ("memory", "memory.limit_in_bytes"),
}
_UNIFIED_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
_SHARES = (2, 262144)
_WEIGHTS = (1, 10000)
_AT_CREATION = ("cpu",)


def systemd_path(path: str, ident: str) -> str:
    """Where systemd would put the scope of SLICE:PREFIX:NAME (systemd.slice(5)), which is not asked. Raises SandboxError."""
    slice_name, prefix, name = [*(path or f"system.slice:sandboxctl:{ident}").split(":", 2), "", ""][:3]
    stem = (slice_name or "system.slice").removesuffix(".slice")
    parts = [] if stem == "-" else stem.split("-")
    if f"{stem}.slice" != (slice_name or "system.slice") or not all(parts) or "/" in path or ":" in name or not name:
        raise SandboxError(f"linux.cgroupsPath: {path!r} is not SLICE:PREFIX:NAME, as --systemd-cgroup wants it")
    slices = [f"{'-'.join(parts[:count])}.slice" for count in range(1, len(parts) + 1)]
    return "/" + "/".join([*slices, f"{prefix}-{name}.scope" if prefix else f"{name}.scope"])


def make(path: str) -> list[str]:
    """Make the groups of ``path`` in every hierarchy that can be written; returns their folders."""
    if not path or not os.path.isdir(_MOUNT):
        return []
    made = []
    for controllers, own in _hierarchies():
        parent = "" if path.startswith("/") else own.strip("/")
        folder = os.path.join(_MOUNT, controllers, parent, os.path.normpath(f"/{path}").strip("/"))
        with contextlib.suppress(OSError):
            os.makedirs(folder, exist_ok=True)
            if not controllers:
                pass_on(folder, _MOUNT)
            if controllers.split(",")[0] == "cpuset":
                _inherit_cpuset(folder)
            made.append(folder)
    return made


def enter(folders: list[str]) -> None:
    """Move this process, and what it will start, into the groups."""
    for folder in folders:
        with contextlib.suppress(OSError):
            _write(os.path.join(folder, "cgroup.procs"), str(os.getpid()))


def apply(folders: list[str], resources: Mapping[str, Any], sections: tuple[str, ...] = _AT_CREATION) -> list[str]:
    """Set what ``linux.resources`` says; returns the settings that could not be made."""
    missing = []
    for (section, key), first in _FILES.items():
        value = (resources.get(section) or {}).get(key)
        if section not in sections or value is None or value in {0, ""}:
            continue
        if not any(_set(folder, section, key, value, first) for folder in folders):
            missing.append(f"{section}.{key}")
    return missing


def remove(folders: list[str]) -> None:
    """Remove the groups; their last members may still be dying."""
    for folder in folders:
        for _ in range(_TRIES):
            if _removed(folder):
                break
            select.select([], [], [], _TRY_S)


def _removed(folder: str) -> bool:
    try:
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                _removed(entry.path)
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _hierarchies() -> list[tuple[str, str]]:
    """(folder below the mount, our own group) of each mounted hierarchy; version 2 alone is mounted at the top."""
    found = []
    with open("/proc/self/cgroup", encoding="ascii") as file:
        for line in file:
            _, controllers, own = line.rstrip("\n").split(":", 2)
            name = controllers.removeprefix("name=")
            if not name and os.path.exists(os.path.join(_MOUNT, "cgroup.procs")):
                found.append(("", own))
            elif os.path.exists(os.path.join(_MOUNT, name, "cgroup.procs")) and name:
                found.append((name, own))
    return found


def _inherit_cpuset(folder: str) -> None:
    """A new group of version 1 has no processor until it is given some."""
    parent = os.path.dirname(folder)
    for name in ("cpuset.cpus", "cpuset.mems"):
        with open(os.path.join(folder, name), encoding="ascii") as file:
            if file.read().strip():
                continue
        if parent.startswith(_MOUNT + "/cpuset/"):
            _inherit_cpuset(parent)
        with open(os.path.join(parent, name), encoding="ascii") as file:
            _write(os.path.join(folder, name), file.read().strip())


def pass_on(folder: str, top: str) -> None:
    """Version 2: a group has a controller's files once all above it pass the controller on (cgroup-v2, "Top-down Constraint")."""
    above = top
    for part in ("", *os.path.relpath(folder, top).split("/")[:-1]):
        above = os.path.join(above, part)
        for controller in _UNIFIED_CONTROLLERS:
            with contextlib.suppress(OSError):
                _write(os.path.join(above, "cgroup.subtree_control"), f"+{controller}")


def _set(folder: str, section: str, key: str, value: int | str, first: tuple[str, str]) -> bool:
    """Set one limit in one group; whether it is one of that group and could be set."""
    try:
        if os.path.exists(os.path.join(folder, "cgroup.controllers")):
            name, text = _unified(folder, section, key, value)
        elif first[0] in os.path.relpath(folder, _MOUNT).split("/")[0].split(","):
            name, text = first[1], str(value)
        else:
            return False
        _write(os.path.join(folder, name), text)
    except OSError:
        return False
    return True


def _unified(folder: str, section: str, key: str, value: int | str) -> tuple[str, str]:
    """File and text of version 2 for a setting of version 1, which is what engines send (config-linux.md). Raises OSError."""
    if key == "shares":
        least, most = _SHARES
        shares = min(max(int(value), least), most)
        return "cpu.weight", str(_WEIGHTS[0] + (shares - least) * (_WEIGHTS[1] - _WEIGHTS[0]) // (most - least))
    if key in {"period", "quota"}:
        with open(os.path.join(folder, "cpu.max"), encoding="ascii") as file:
            quota, period = file.read().split()
        return "cpu.max", f"{quota} {value}" if key == "period" else f"{value if int(value) > 0 else 'max'} {period}"
    if key == "limit":
        return f"{section}.max", str(value) if int(value) > 0 else "max"
    return f"cpuset.{key}", str(value)


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
