"""Files of a thread about its scheduling and the call it is in, as the host counts them (proc(5))."""

from typing import TYPE_CHECKING

from sentry.fs.proc import host_thread

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.kernel.task import Task


def sched(viewer: "Task", target: "Target") -> bytes:
    """The scheduler's numbers; the heading names the sandbox's thread."""
    text = host_thread.read(target.task, "sched", as_thread=target.is_thread)
    _, found, rest = text.partition(b"\n")
    if not found:
        return b""
    return b"%b (%d, #threads: %d)\n" % (target.task.name, target.number, max(len(target.group.tasks), 1)) + rest


def syscall(viewer: "Task", target: "Target") -> bytes:
    """Number, six arguments, stack pointer and program counter of the call that it is in, or ``running``."""
    return host_thread.read(target.task, "syscall", as_thread=target.is_thread) or b"running\n"


def arch_status(viewer: "Task", target: "Target") -> bytes:
    """Whether AVX-512 was used is not kept."""
    return b"AVX512_elapsed_ms:\t-1\n"


def cpuset(viewer: "Task", target: "Target") -> bytes:
    """The root."""
    return b"/\n"


def timens_offsets(viewer: "Task", target: "Target") -> bytes:
    """No offsets: the sandbox's clocks start with its own time namespace."""
    return b"monotonic           0         0\nboottime            0         0\n"
