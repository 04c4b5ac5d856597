"""Which platform a sandbox uses."""

import os
from collections.abc import Callable

from sentry.platform.interface import Platform, PlatformError

PLATFORMS = ("notify", "ptrace")


_NOTIFY_SINCE = (5, 9)
_STATUS = "/proc/self/status"
_UNFILTERED = "\nSeccomp:\t0\n"


def is_filtered() -> bool:
    """Whether this process is below a seccomp filter already; only then can listening be forbidden (proc(5), Seccomp)."""
    try:
        with open(_STATUS) as file:
            return _UNFILTERED not in file.read()
    except OSError:
        return True


def is_old() -> bool:
    """Whether the kernel's notifications lack what ``notify`` needs (before Linux 5.9)."""
    major, minor = os.uname().release.split("-")[0].split(".")[:2]
    return (int(major), int(minor)) < _NOTIFY_SINCE


def choose_platform(name: str, on_escape: Callable[[str], None]) -> Platform:
    """Return the platform called ``name``, or for an empty name the best one that this host allows.

    Raises PlatformError if it is not built in, or if ``notify`` was asked for where nobody may listen.
    """
    if not name and is_old():
        name = "ptrace"
    if name in {"", "notify"} and is_filtered():
        from sentry.platform import probe

        if name:
            probe.require_listener()
        elif probe.listener_error():
            name = "ptrace"
    if name in {"", "notify"}:
        from sentry.platform.notify.platform import NotifyPlatform

        return NotifyPlatform(on_escape)
    if name == "ptrace":
        from sentry.platform.ptrace.platform import PtracePlatform

        return PtracePlatform(on_escape)
    raise PlatformError(f"platform {name} is not available in this version; use --platform notify or ptrace")
