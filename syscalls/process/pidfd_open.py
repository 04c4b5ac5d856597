"""pidfd_open(2), pidfd_send_signal(2)."""

from typing import Annotated

from sentry.fs.pidfd import PidFile, pidfd_of
from sentry.kernel import kill
from sentry.kernel.ptrace_access import may_inspect
from sentry.kernel.signals import from_process
from sentry.kernel.task import Task
from sentry.kernel.thread_group import ThreadGroup
from sentry.platform.interface import SignalInfo
from syscalls.abi.errno import EBADF, EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.pidfd import (
    PIDFD_NONBLOCK,
    PIDFD_SIGNAL_PROCESS_GROUP,
    PIDFD_SIGNAL_THREAD,
    PIDFD_SIGNAL_THREAD_GROUP,
)
from syscalls.abi.signal import SI_TKILL, SIGINFO
from syscalls.args import Fd, Flags, Pid, Signal, UInt, UserPtr
from syscalls.registry import syscall

_SCOPES = (PIDFD_SIGNAL_THREAD, PIDFD_SIGNAL_THREAD_GROUP, PIDFD_SIGNAL_PROCESS_GROUP)  # one at a time


@syscall(man="pidfd_open(2)")
def sys_pidfd_open(task: Task, pid: Pid, flags: Annotated[int, Flags("PIDFD", PIDFD_NONBLOCK)]) -> int:
    """Return a descriptor for a process, closed on exec. Errors: EINVAL, ESRCH, EMFILE."""
    if pid <= 0:
        raise SyscallError(EINVAL)
    tables = task.kernel.tasks
    group = tables.find_group(pid)
    if group is None:
        raise SyscallError(ESRCH if tables.find_task(pid) is None else EINVAL)
    return task.fds.install(PidFile(task.kernel, group, flags), cloexec=True)


@syscall(man="pidfd_getfd(2)")
def sys_pidfd_getfd(task: Task, pidfd: Fd, targetfd: Fd, flags: UInt) -> int:
    """Return a copy of another process's descriptor, closed on exec. Errors: EINVAL, EBADF, ESRCH, EPERM, EMFILE."""
    if flags:
        raise SyscallError(EINVAL)
    group = pidfd_of(task, pidfd).group
    if not group.is_alive or group.leader.is_exiting:
        raise SyscallError(ESRCH)
    if not may_inspect(task, group.leader):
        raise SyscallError(EPERM)
    return task.fds.install(group.leader.fds.get(targetfd), cloexec=True)


@syscall(man="pidfd_send_signal(2)")
def sys_pidfd_send_signal(task: Task, pidfd: Fd, sig: Signal, info: UserPtr, flags: UInt) -> int:
    """Send a signal to the process of a pidfd, to its first thread, or to the process group that it has made. Errors: EINVAL,
    EBADF, EFAULT, EPERM, ESRCH."""
    if flags and flags not in _SCOPES:
        raise SyscallError(EINVAL)
    group = _signalled(task, pidfd)
    is_own = group is task.group and flags != PIDFD_SIGNAL_PROCESS_GROUP
    record = task.memory.read_struct(SIGINFO, info) if info else None
    if record is not None:
        signo, _, code = record[:3]
        if signo != sig:
            raise SyscallError(EINVAL)
        if not is_own and (code >= 0 or code == SI_TKILL):
            raise SyscallError(EPERM)
    if flags == PIDFD_SIGNAL_PROCESS_GROUP:
        targets = kill.find_targets(task, -group.tgid)
    elif task.kernel.tasks.find_group(group.tgid) is group:
        targets = [group]
    else:
        raise SyscallError(ESRCH)
    kill.check_signal(sig)
    shown = from_process(task) if record is None else SignalInfo(record[2], record[3] & 4294967295, record[4], record[5])
    for target in kill.allowed(task, targets, sig):
        if sig and target.is_alive:
            kill.queue_from_sentry(target.leader, sig, shown, to_thread=flags == PIDFD_SIGNAL_THREAD)
    return 0


def _signalled(task: Task, fd: int) -> ThreadGroup:
    """The process of a pidfd or of an open directory /proc/PID. Errors: EBADF."""
    file = task.fds.get(fd)
    if isinstance(file, PidFile):
        return file.group
    from sentry.fs.proc.pid.directory import process_of

    group = process_of(file.inode)
    if group is None:
        raise SyscallError(EBADF)
    return group
