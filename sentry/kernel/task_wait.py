"""wait(2): which child of a process has something to report.

The host keeps the true zombies: once the sentry knows that a matching child is dead or stopped, the guest's own wait call
is let through and the host writes status and rusage (kernel-facts.md 5).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sentry.host.process import exists
from syscalls.abi.errno import ECHILD
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup

WNOHANG, WUNTRACED, WEXITED, WCONTINUED, WNOWAIT = 1, 2, 4, 8, 0x1000000

Match = Callable[["ThreadGroup"], bool]


def match_pid(task: "Task", pid: int) -> Match:
    """The children that wait4(2)'s ``pid`` means: a process, a process group, the caller's group (0) or any (-1)."""
    if pid > 0:
        return lambda child: child.tgid == pid
    if pid == -1:
        return lambda child: True
    pgid = task.group.process_group.pgid if pid == 0 else -pid
    return lambda child: child.process_group.pgid == pgid


def find_waitable(task: "Task", matches: Match, options: int) -> "ThreadGroup | None":
    """Return a matching child with something to report, or None while all go on.

    Errors: ECHILD when no child matches. ``options`` are waitid(2)'s (wait4 implies WEXITED).
    """
    has_child = False
    for child in list(task.group.children.values()):
        if not matches(child):
            continue
        if child.exit_status is not None:
            if not exists(child.host_pid):
                task.kernel.tasks.forget(child)
                continue
            has_child = True
            if options & WEXITED:
                return child
            continue
        has_child = True
        report = child.stop_report
        if (report == "stopped" and options & WUNTRACED) or (report == "continued" and options & WCONTINUED):
            return child
    if not has_child:
        raise SyscallError(ECHILD)
    return None


def consume(child: "ThreadGroup", options: int) -> None:
    """The guest's wait call is about to report a stop of ``child``: forget it, unless WNOWAIT.

    A dead child is forgotten when its number is found gone (``TaskTable``): which one is reported is the host's choice, and a
    signal may end the call before it has run.
    """
    if not options & WNOWAIT and child.exit_status is None:
        child.stop_report = None
