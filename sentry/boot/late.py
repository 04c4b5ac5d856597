"""Modules that are imported at first use, and when that would be too late.

A sentry that starts as root gives root up; if it was installed where only root may read (a clone below /root), nothing can be
imported from then on. So these are imported before. ``tests/house/test_late_imports.py`` keeps the list complete.
"""

import os
from contextlib import suppress
from importlib import import_module
from pkgutil import iter_modules

from syscalls import abi

MODULES = (
    "ctypes",
    "linecache",
    "select",
    "sentry.boot.assembly",
    "sentry.boot.copying",
    "sentry.boot.masks",
    "sentry.boot.network",
    "sentry.boot.report",
    "sentry.boot.restoring",
    "sentry.boot.tracing",
    "sentry.fs.image.filesystem",
    "sentry.fs.overlay.export",
    "sentry.fs.image.index",
    "sentry.fs.stacked.options",
    "sentry.fs.stacked.rename",
    "sentry.fs.tty.console",
    "sentry.fs.tty.slave",
    "sentry.host.mapped_file",
    "sentry.kernel.cpu_timers",
    "sentry.platform.filter.bpf",
    "sentry.platform.filter.guest",
    "sentry.platform.filter.sentry",
    "sentry.platform.ptrace.python_ptrace",
    "sentry.socket.inet.raw",
    "sentry.trace.events",
    "sentry.vfs.special",
)
#: of other projects, where they are installed
OPTIONAL = ("ptrace.binding", "ptrace.error")


def import_before_drop() -> None:
    """Import everything that may be needed later, if another user could not."""
    if not (_is_open_to_others(__file__) and _is_open_to_others(os.__file__)):
        # the tracer names flags from all of these
        constants = (f"syscalls.abi.{module.name}" for module in iter_modules(abi.__path__))
        for name in (*MODULES, *constants):
            import_module(name)
        for name in OPTIONAL:
            with suppress(ImportError):
                import_module(name)


def _is_open_to_others(path: str) -> bool:
    """Whether any user may read the file ``path``, as far as permission bits tell."""
    if not os.stat(path).st_mode & 0o4:
        return False
    folder = os.path.dirname(os.path.realpath(path))
    while os.stat(folder).st_mode & 0o1:
        if folder == "/":
            return True
        folder = os.path.dirname(folder)
    return False
