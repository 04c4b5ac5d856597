"""Who may look into or act on another process (ptrace(2), "Ptrace access mode checking"; kill(2))."""

from typing import TYPE_CHECKING

from syscalls.abi.capability import CAP_KILL, CAP_SYS_NICE, CAP_SYS_PTRACE

if TYPE_CHECKING:
    from sentry.kernel.task import Task


def may_inspect(task: "Task", other: "Task") -> bool:
    """PTRACE_MODE_READ with real credentials: same process, CAP_SYS_PTRACE, or all ids equal and capabilities included."""
    if other.group is task.group:
        return True
    mine, theirs = task.credentials, other.credentials
    if mine.has(CAP_SYS_PTRACE):
        return True
    same_user = mine.uid == theirs.uid == theirs.euid == theirs.suid
    same_group = mine.gid == theirs.gid == theirs.egid == theirs.sgid
    return same_user and same_group and other.group.is_dumpable and not theirs.permitted & ~mine.permitted


def may_signal(task: "Task", other: "Task") -> bool:
    """kill(2): CAP_KILL, or the real or effective id equals the target's real or saved one."""
    mine, theirs = task.credentials, other.credentials
    if mine.has(CAP_KILL):
        return True
    return bool({mine.uid, mine.euid} & {theirs.uid, theirs.suid})


def may_schedule(task: "Task", other: "Task") -> bool:
    """sched_setscheduler(2), sched_setaffinity(2): CAP_SYS_NICE, or the effective id owns the target."""
    mine, theirs = task.credentials, other.credentials
    return mine.has(CAP_SYS_NICE) or mine.euid in (theirs.uid, theirs.euid)
