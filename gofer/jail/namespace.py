"""Own namespaces and an empty root, for a gofer that starts as root.

An ordinary user's gofer stays in the caller's namespaces: a user namespace of its own would map one id only, so that stat(2)
would report every other owner as the overflow id. Its filter has no call that a namespace would confine (no sockets, no
processes, no mounts), and Landlock stands where the empty root would.
"""

import os

from gofer._sys._native import lib

_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC, _NEWNET = 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x40000000


def enter() -> "list[str]":
    """Leave the host's namespaces where this process may; returns what was left."""
    layers: list[str] = []
    if os.geteuid() != 0:
        return layers
    for name, flag in (("netns", _NEWNET), ("ipcns", _NEWIPC), ("utsns", _NEWUTS), ("cgroupns", _NEWCGROUP)):
        if lib.gofer_unshare(flag) == 0:
            layers.append(name)
    if lib.gofer_unshare(_NEWNS) == 0:
        layers.append("mountns")
        if lib.gofer_empty_root() == 0:
            layers.append("root")
    return layers
