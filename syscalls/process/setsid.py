"""setsid(2), getsid(2): sessions. Mirrored on the host like process groups (kernel-facts.md 4)."""

from sentry.kernel import job_control
from sentry.kernel.task import Task
from syscalls.args import PROCEED, Pid, Result
from syscalls.registry import syscall


@syscall(man="setsid(2)")
def sys_setsid(task: Task) -> Result:
    """Become the leader of a new session, without a controlling terminal. Errors: EPERM already a process-group leader."""
    job_control.new_session(task)
    return PROCEED


@syscall(man="getsid(2)")
def sys_getsid(task: Task, pid: Pid) -> int:
    """Return the session of ``pid``, 0 meaning the caller. Errors: ESRCH."""
    return job_control.group_of(task, pid).process_group.session.sid
