"""Optional kernel features, each of which the environment variable SANDBOXCTL_DISABLE can switch off (for tests)."""

import os

from sentry.platform.interface import PlatformError

NAMES = frozenset(
    (
        "sync_wake_up",
        "wait_killable",
        "landlock",
        "userns",
        "mountns",
        "pidns",
        "netns",
        "ipcns",
        "utsns",
        "cgroupns",
        "timens",
        "pid_translation",
        "placement",
        "memory",
        "process_vm",
        "core_registers",
    )
)


def disabled() -> frozenset[str]:
    """Return the features that are switched off. Raises PlatformError for a name that does not exist."""
    names = frozenset(name for name in os.environ.get("SANDBOXCTL_DISABLE", "").split(",") if name)
    unknown = names - NAMES
    if unknown:
        raise PlatformError(f"SANDBOXCTL_DISABLE: unknown {', '.join(sorted(unknown))}; known are {', '.join(sorted(NAMES))}")
    return names


def answered_in_c() -> int | None:
    """Return the call that the C core answers with 0, so that `make bench` can tell Python's share of a trap; None: none.

    SANDBOXCTL_ANSWER_IN_C holds its number. Raises ValueError for anything else.
    """
    text = os.environ.get("SANDBOXCTL_ANSWER_IN_C", "")
    if text and not text.isdecimal():
        raise ValueError(f"SANDBOXCTL_ANSWER_IN_C: {text!r} is not the number of a call")
    return int(text) if text else None
