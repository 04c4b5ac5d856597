"""Which way ``--network user`` takes (ADR 29): passt where a good one is installed and works, else the network gofer."""

import re
import subprocess
from typing import Final

from sandboxctl.config import Network
from sandboxctl.errors import SandboxError
from sandboxctl.network.netgofer import NetGofer
from sandboxctl.network.passt import Passt

#: releases before this (Debian 12's among them) give up the whole link when a guest ends one half of a stream
_GOOD_SINCE: Final = "20240101"
_RELEASE: Final = re.compile(r"(20\d\d)_?(\d\d)_?(\d\d)")


def start(network: Network) -> Passt | NetGofer:
    """Start what ``network.way`` names, or the better one that works. Raises SandboxError with the remedy."""
    if network.way == "passt":
        return Passt(network)
    if not network.way and is_good_passt():
        try:
            return Passt(network)
        except SandboxError:
            return NetGofer(network)  # it says what is in the way if that is not passt's
    return NetGofer(network)


def is_good_passt() -> bool:
    """Whether passt is installed, in a release that can be relied on."""
    try:
        told = subprocess.run(["passt", "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = _RELEASE.search(told)
    return found is not None and "".join(found.groups()) >= _GOOD_SINCE
