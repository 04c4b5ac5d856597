"""Whom a call means that sets priorities: one thread, a process group, or a user (getpriority(2), ioprio_set(2)).

The host schedules the guest's threads and keeps their values; the sentry checks first who is meant, because the host would take a
user's number for everything of the jail's one host user.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from syscalls.abi.errno import EINVAL, ESRCH
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task


def targets(task: "Task", kinds: Sequence[int], which: int, who: int) -> "list[Task]":
    """The threads that ``who`` means; ``kinds`` are the call's numbers for thread, process group, user. Errors: EINVAL, ESRCH."""
    thread, process_group, user = kinds
    tables = task.kernel.tasks
    if which == thread:
        one = task if who == 0 else tables.find_task(who)
        found = [one] if one is not None else []
    elif which == process_group:
        group = task.group.process_group if who == 0 else tables.process_groups.get(who)
        found = [member for each in group.members.values() for member in each.tasks.values()] if group is not None else []
    elif which == user:
        # Differs from Linux: another user's number would mean nothing to the host.
        found = [task] if who == 0 else []
    else:
        raise SyscallError(EINVAL)
    if not found:
        raise SyscallError(ESRCH)
    return found
