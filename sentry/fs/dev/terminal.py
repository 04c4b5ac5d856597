"""/dev/tty and /dev/console: names for terminals that live elsewhere (tty(4), console(4))."""

from typing import TYPE_CHECKING

from syscalls.abi.errno import ENODEV, ENXIO
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.tty.terminal import Terminal
    from sentry.vfs.context import OpenContext
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import Inode


def open_tty(inode: "Inode", context: "OpenContext") -> "FileDescription":
    """Driver of 5:0: the controlling terminal. Errors: ENXIO when the process has none, EIO when it is hung up."""
    terminal = _controlling(context)
    if terminal is None:
        raise SyscallError(ENXIO)
    return terminal.open_slave(inode, context.flags, context.task)


def open_console(inode: "Inode", context: "OpenContext") -> "FileDescription":
    """Driver of 5:1: the terminal that the container was started on, if the caller belongs to it. Errors: ENODEV."""
    terminal = _controlling(context)
    if terminal is None or not terminal.is_console:
        raise SyscallError(ENODEV)
    return terminal.open_slave(inode, context.flags, context.task)


def _controlling(context: "OpenContext") -> "Terminal | None":
    group = context.task.group
    terminal: Terminal | None = group.process_group.session.terminal  # type: ignore[assignment]
    if terminal is None or group in terminal.deserters:
        return None
    return terminal
