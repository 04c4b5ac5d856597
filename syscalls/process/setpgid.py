"""setpgid(2), getpgid(2), getpgrp(2): process groups.

The host must know them too, for it decides what a terminal's stop signals do (kernel-facts.md 4), so a checked change is let
through.
"""

from sentry.kernel import job_control
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.args import PROCEED, Pid, Result
from syscalls.registry import syscall


@syscall(man="setpgid(2)")
def sys_setpgid(task: Task, pid: Pid, pgid: Pid) -> Result:
    """Move a process into a process group.

    Errors: EINVAL negative pgid or not a process; ESRCH neither the caller nor its child; EACCES the child has executed;
    EPERM a session leader, another session, or no such group in this session.
    """
    if pgid < 0 or (not pgid and pid < 0):
        raise SyscallError(EINVAL)
    job_control.set_process_group(task, pid or task.group.tgid, pgid or pid or task.group.tgid)
    return PROCEED


@syscall(man="setpgid(2)")
def sys_getpgid(task: Task, pid: Pid) -> int:
    """Return the process group of ``pid``, 0 meaning the caller. Errors: ESRCH."""
    return job_control.group_of(task, pid).process_group.pgid


@syscall(man="setpgid(2)")
def sys_getpgrp(task: Task) -> int:
    """Return the caller's process group."""
    return task.group.process_group.pgid
