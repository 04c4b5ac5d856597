"""Births: what a new task shares with its maker and what it copies (clone(2), fork(2), vfork(2)).

The host kernel has made the thread already, by the guest's own clone; the sentry mirrors it.
"""

from typing import TYPE_CHECKING

from sentry.kernel.sem_undo import shared_undo_list
from sentry.kernel.task import Task
from sentry.kernel.thread_group import ThreadGroup
from sentry.mm.usermem import UserMemory

if TYPE_CHECKING:
    from sentry.platform.interface import Context

CSIGNAL = 0xFF
CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_PARENT, CLONE_THREAD = 0x100, 0x200, 0x400, 0x8000, 0x10000
CLONE_SYSVSEM = 0x40000


def clone_task(maker: Task, context: "Context", flags: int) -> Task:
    """Return the task for ``context``, which ``maker`` made with clone ``flags``; it is entered in all tables."""
    kernel = maker.kernel
    if flags & CLONE_THREAD:
        group = maker.group
    else:
        parent = maker.group.parent if flags & CLONE_PARENT else maker.group
        group = _clone_group(maker, context, parent, flags)
        group.exit_signal = maker.group.exit_signal if flags & CLONE_PARENT else flags & CSIGNAL
    if flags & CLONE_FILES:
        fds = maker.fds
        fds.references += 1
    else:
        fds = maker.fds.copy()
    fs = maker.fs if flags & CLONE_FS else maker.fs.copy()
    task = Task(kernel, context, group, UserMemory(context.memory), fds, fs, maker.mounts, maker.credentials, maker.name)
    task.seccomp_mode, task.seccomp_filters = maker.seccomp_mode, maker.seccomp_filters
    task.namespaces = maker.namespaces
    if flags & CLONE_SYSVSEM:
        task.sem_undo = shared_undo_list(maker)
    if not flags & CLONE_THREAD:
        group.leader = task
    enter(task)
    return task


def enter(task: Task) -> None:
    """Enter ``task`` in the tables and tie it to its context."""
    task.context.data = task
    task.group.tasks[task.tid] = task
    task.kernel.tasks.tasks[task.tid] = task


def _clone_group(maker: Task, context: "Context", parent: ThreadGroup | None, flags: int) -> ThreadGroup:
    origin = maker.group
    table = maker.kernel.tasks
    group = ThreadGroup(context.guest_tid, parent, origin.process_group, dict(origin.limits))
    group.host_pid = context.host_tid
    if origin.segments and not flags & CLONE_VM:  # with CLONE_VM they are attached once, not twice
        for segment in origin.segments:
            segment.attached.add(group)
        group.segments = set(origin.segments)
    group.executable = origin.executable
    group.is_dumpable = origin.is_dumpable
    group.oom_score_adj = origin.oom_score_adj
    group.oom_score_adj_min = origin.oom_score_adj_min
    group.arguments = origin.arguments
    group.environment = origin.environment
    group.auxv = origin.auxv
    group.start_time_ns = maker.kernel.runner.monotonic_ns()
    stale = table.groups.get(group.tgid)
    if stale is not None:
        table.forget(stale)  # waited for, and the number is taken anew
    origin.process_group.add(group)
    table.groups[group.tgid] = group
    if parent is not None:
        parent.children[group.tgid] = group
    return group
