"""Deaths: what ends with a task and with a process (exit(2), wait(2)).

The tracer has reaped the host's zombie; its real parent, if it is a guest, can now wait for it natively (kernel-facts.md 5).
"""

from typing import TYPE_CHECKING

from sentry.host.process import exists
from sentry.kernel.sem_undo import leave_undo_list
from sentry.kernel.signals import from_process
from syscalls.abi.signal import SIGCHLD, SIGCONT, SIGHUP, SIGKILL

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup


def exit_task(task: "Task", wait_status: int) -> None:
    """Release what ``task`` alone held; the end of a leader is the end of its process."""
    if task.is_exiting:
        return
    task.is_exiting = True
    kernel = task.kernel
    task.fiber.cancel()
    if task.pending_exec is not None:
        task.pending_exec.held.release()
        task.pending_exec = None
    if task.sem_undo is not None:
        leave_undo_list(task)
    kernel.tasks.tasks.pop(task.tid, None)
    group = task.group
    group.tasks.pop(task.tid, None)
    fds = task.fds
    fds.references -= 1
    if fds.references == 0:
        fds.close_all()
    if task.tid == group.tgid:
        exit_group(group, wait_status)


def exit_group(group: "ThreadGroup", wait_status: int) -> None:
    """A process has ended with the host's ``wait_status``: tell its parent, hand its children on, hang up its session."""
    kernel = group.leader.kernel
    for task in list(group.tasks.values()):
        exit_task(task, wait_status)
    if group.exit_status is not None:
        return
    group.exit_status = wait_status
    for timer in list(group.timers.values()):
        timer.cancel()  # type: ignore[attr-defined]
    group.timers.clear()
    leave_memory(group)
    _reparent(group)
    group.exit_queue.wake()
    session = group.process_group.session
    if session.leader is group:
        session.leader = None
        _hang_up(group)
    parent = group.parent
    if parent is None or not parent.is_alive:
        kernel.tasks.forget(group)
        return
    kernel.tasks.died(group)
    kernel.signals.child_changed(parent, SIGCHLD)
    parent.wait_queue.wake()


def leave_memory(group: "ThreadGroup") -> None:
    """Its address space is gone, and with it attached segments (shmop(2)) and AIO contexts (io_setup(2))."""
    if group.segments:
        segments = list(group.segments)
        group.segments.clear()
        for segment in segments:
            segment.left(group)
    if group.aio:
        contexts = list(group.aio.values())
        group.aio.clear()
        for context in contexts:
            context.destroy()


def kill_rest(kernel: "Kernel") -> None:
    """Init is dead, and with it its pid namespace (pid_namespaces(7)); where the host has none, the sentry does it."""
    for group in list(kernel.tasks.groups.values()):
        if group.is_alive and group.tasks:
            next(iter(group.tasks.values())).context.send_signal(SIGKILL)


def _reparent(group: "ThreadGroup") -> None:
    if not group.children:
        return
    kernel = group.leader.kernel
    init = kernel.tasks.init
    heir = group.parent
    while heir is not None and not (heir.is_alive and heir.is_child_subreaper):
        heir = heir.parent
    if heir is None and init is not None and init is not group and init.is_alive:
        heir = init
    for child in list(group.children.values()):
        if child.exit_status is not None and not exists(child.host_pid):
            kernel.tasks.forget(child)
            continue
        child.parent = heir
        if child.is_alive and child.leader.pdeath_signal:
            kernel.signals.send_group(child, child.leader.pdeath_signal, from_process(group.leader))
        if heir is None:
            if child.exit_status is not None:
                kernel.tasks.forget(child)
        else:
            heir.children[child.tgid] = child
            if child.exit_status is not None:
                kernel.signals.child_changed(heir, SIGCHLD)
    group.children.clear()
    if heir is not None:
        heir.wait_queue.wake()


def _hang_up(leader: "ThreadGroup") -> None:
    """The session leader is gone: the foreground process group gets SIGHUP and SIGCONT, the terminal is free (exit(3p))."""
    session = leader.process_group.session
    terminal = session.terminal
    if terminal is None:
        return
    session.terminal = None
    signals = leader.leader.kernel.signals
    foreground = getattr(terminal, "foreground", None)
    if foreground is not None:
        signals.send_process_group(foreground, SIGHUP)
        signals.send_process_group(foreground, SIGCONT)
    terminal.disassociate()  # type: ignore[attr-defined]
