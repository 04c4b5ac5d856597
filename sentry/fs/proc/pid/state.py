"""What a process is doing, in one letter (proc_pid_stat(5), field 3)."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.kernel.task import Task

WORDS: Final = {
    b"R": b"R (running)",
    b"S": b"S (sleeping)",
    b"T": b"T (stopped)",
    b"Z": b"Z (zombie)",
}


def state_of(viewer: "Task", target: "Target", host_state: bytes) -> bytes:
    """The state that the guest's kernel is in: the host's own letters also tell how the sentry holds a thread."""
    if target.is_zombie:
        return b"Z"
    task = target.task
    if target.group.is_stopped:
        return b"T"
    if task is viewer:
        return b"R"
    if task.fiber.is_busy:
        return b"S"
    return b"R" if host_state in (b"R", b"t") else b"S"
