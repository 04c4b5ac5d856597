"""Options of podman's and docker's ``run`` that are known and refused: each says why, and what to do instead."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from sandboxctl.errors import OptionError

F = TypeVar("F", bound=Callable[..., Any])
_NAMESPACE: Final = "a sandbox has a kernel of its own and shares no namespace with the host or another sandbox; leave it out"
_CGROUP: Final = "the sandbox chooses its control group itself; use --memory, --cpus and --pids-limit"
_HEALTH: Final = "nothing checks the health of a sandbox; let your own timer call: sandboxctl exec NAME COMMAND"
_DEVICE: Final = "the guest never reaches a host device; copy the data in, or share a folder with -v"
_ADDRESS: Final = "addresses are those of --network user; publish ports with -p"
_REASONS: Final = {
    **dict.fromkeys(("ipc", "pid", "uts", "userns", "cgroupns"), _NAMESPACE),
    **dict.fromkeys(("cgroup-parent", "cgroups", "cgroup-conf", "cpuset-cpus", "cpuset-mems"), _CGROUP),
    **dict.fromkeys(("cpu-shares", "cpu-quota", "memory-swap", "memory-reservation", "blkio-weight"), _CGROUP),
    **dict.fromkeys(("health-cmd", "health-interval", "health-retries", "health-timeout", "health-start-period"), _HEALTH),
    "health-on-failure": _HEALTH,
    **dict.fromkeys(("gpus", "device-cgroup-rule", "device-read-bps", "device-write-bps"), _DEVICE),
    **dict.fromkeys(("ip", "ip6", "mac-address", "network-alias"), _ADDRESS),
    "pod": "a pod is one sandbox here: run its programs with sandboxctl exec",
    "volumes-from": "name the volume in both sandboxes: -v NAME:DST",
    "link": "sandboxes do not reach each other; publish ports with -p",
}
#: what is so in any case
_TRUE: Final = {"ipc": "private", "pid": "private", "uts": "private", "cgroupns": "private", "health-cmd": "none"}


def refused_options(function: F) -> F:
    """Add them, hidden."""
    for name in _REASONS:
        function = click.option(f"--{name}", f"refused_{name.replace('-', '_')}", hidden=True, metavar="X")(function)
    return function


def check(options: Mapping[str, Any]) -> None:
    """Raises OptionError for the first one that was given."""
    for name, reason in _REASONS.items():
        value = options.get(f"refused_{name.replace('-', '_')}")
        if value is not None and value != _TRUE.get(name):
            raise OptionError(f"--{name} is refused: {reason}")
