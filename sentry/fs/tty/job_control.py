"""Who may use a terminal from the background (termios(3), credentials(7); POSIX.1 11.1.4)."""

from typing import TYPE_CHECKING

from sentry.sched.wait import Interrupted, Restart
from syscalls.abi.errno import EIO
from syscalls.abi.errors import SyscallError
from syscalls.abi.signal import SIGTTIN

if TYPE_CHECKING:
    from sentry.fs.tty.terminal import Terminal
    from sentry.kernel.task import Task


def is_controlling(terminal: "Terminal", task: "Task") -> bool:
    """Whether ``terminal`` is the controlling terminal of the task's process."""
    group = task.group
    return group.process_group.session.terminal is terminal and group not in terminal.deserters


def must_stop(terminal: "Terminal", task: "Task", signal: int) -> bool:
    """Whether a background process must be sent ``signal`` before it may go on (Linux: __tty_check_change()).

    Errors: EIO for a reader that ignores SIGTTIN, and for orphaned process groups.
    """
    if not is_controlling(terminal, task):
        return False
    foreground = terminal.foreground
    process_group = task.group.process_group
    if foreground is None or foreground is process_group:
        return False
    context = task.context
    bit = 1 << (signal - 1)
    if (context.blocked_signals() | context.ignored_signals()) & bit:
        if signal == SIGTTIN:
            raise SyscallError(EIO)
        return False
    if task.kernel.tasks.is_orphaned(process_group):
        raise SyscallError(EIO)
    return True


def stop(task: "Task", signal: int) -> None:
    """Send ``signal`` to the task's process group and end its call, to be restarted. Precondition: called on its fiber."""
    task.kernel.signals.send_process_group(task.group.process_group, signal)
    raise Interrupted(Restart.SYS)


def check(terminal: "Terminal", task: "Task", signal: int) -> None:
    """``must_stop`` and ``stop``."""
    if must_stop(terminal, task, signal):
        stop(task, signal)
