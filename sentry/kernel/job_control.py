"""Who may move whom between process groups and sessions (setpgid(2), setsid(2), credentials(7))."""

from typing import TYPE_CHECKING

from sentry.kernel.session import ProcessGroup
from syscalls.abi.errno import EACCES, EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.kernel.thread_group import ThreadGroup


def group_of(task: "Task", pid: int) -> "ThreadGroup":
    """The process that ``pid`` names (any of its threads' numbers will do), 0 meaning the caller's. Errors: ESRCH."""
    if pid == 0:
        return task.group
    tasks = task.kernel.tasks
    group = tasks.find_group(pid)
    if group is not None:
        return group
    found = tasks.find_task(pid)
    if found is None:
        raise SyscallError(ESRCH)
    return found.group


def set_process_group(task: "Task", pid: int, pgid: int) -> None:
    """setpgid(2) with both numbers resolved. Errors: EINVAL, ESRCH, EACCES, EPERM."""
    group = group_of(task, pid)
    if group.tgid != pid:
        raise SyscallError(EINVAL)
    caller = task.group
    session = caller.process_group.session
    if group.parent is caller:
        if group.process_group.session is not session:
            raise SyscallError(EPERM)
        if group.has_execed:
            raise SyscallError(EACCES)
    elif group is not caller:
        raise SyscallError(ESRCH)
    if group.process_group.session.leader is group:
        raise SyscallError(EPERM)
    tasks = task.kernel.tasks
    target = tasks.find_process_group(pgid)
    if target is None and pgid == pid:
        target = ProcessGroup(pgid, session)
    if target is None or target.session is not session:
        raise SyscallError(EPERM)
    tasks.join(group, target)


def new_session(task: "Task") -> None:
    """setsid(2). Errors: EPERM when the caller's number already names a process group."""
    group = task.group
    tasks = task.kernel.tasks
    if group.tgid in tasks.process_groups or group.process_group.session.leader is group:
        raise SyscallError(EPERM)
    tasks.new_session(group)
