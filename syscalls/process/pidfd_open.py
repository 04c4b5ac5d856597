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
from syscalls.abi.pidfd import PIDFD_NONBLOCK
from syscalls.abi.signal import SI_TKILL, SIGINFO
from syscalls.args import Fd, Flags, Pid, Signal, UInt, UserPtr
from syscalls.registry import syscall


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
    """Send a signal to the process of a pidfd. Errors: EINVAL, EBADF, EFAULT, EPERM, ESRCH."""
    if flags:
        raise SyscallError(EINVAL)
    group = _signalled(task, pidfd)
    record = task.memory.read_struct(SIGINFO, info) if info else None
    if record is not None:
        signo, _, code = record[:3]
        if signo != sig:
            raise SyscallError(EINVAL)
        if group is not task.group and (code >= 0 or code == SI_TKILL):
            raise SyscallError(EPERM)
    if task.kernel.tasks.find_group(group.tgid) is not group:
        raise SyscallError(ESRCH)
    kill.check_signal(sig)
    kill.allowed(task, [group], sig)
    if sig and group.is_alive:
        shown = from_process(task) if record is None else SignalInfo(record[2], record[3] & 0xFFFFFFFF, record[4], record[5])
        task.kernel.signals.send_group(group, sig, shown)
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
