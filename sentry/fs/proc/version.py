"""/proc/version (proc_version(5))."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry.kernel.task import Task


def version(viewer: "Task") -> bytes:
    """What uname(2) says, on one line."""
    uts = viewer.namespaces.uts
    return b"%b version %b (sandboxctl@sandbox) %b\n" % (uts.sysname, uts.release, uts.version)
