"""process_vm_readv(2), process_vm_writev(2): the memory of another process of the guest's."""

from sentry.kernel.ptrace_access import may_inspect
from sentry.kernel.task import Task
from sentry.mm import remote
from sentry.mm.usermem import UserSink, UserSource
from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.args import Pid, ULong, UserPtr
from syscalls.registry import syscall


@syscall(man="process_vm_readv(2)")
def sys_process_vm_readv(
    task: Task, pid: Pid, local_iov: UserPtr, liovcnt: ULong, remote_iov: UserPtr, riovcnt: ULong, flags: ULong
) -> int:
    """Copy from a process. Errors: EINVAL flags or too many segments, EFAULT, ESRCH, EPERM (ptrace(2), access mode checking)."""
    other = _find(task, pid, flags)
    local = task.memory.read_iovec(local_iov, liovcnt)
    if _is_empty(local):
        return 0  # the rest is not looked at
    theirs = task.memory.read_iovec(remote_iov, riovcnt)
    if _is_empty(theirs):
        return 0
    return remote.copy(UserSource(_allowed(task, other).memory.guest, theirs), UserSink(task.memory.guest, local))


@syscall(man="process_vm_readv(2)")
def sys_process_vm_writev(
    task: Task, pid: Pid, local_iov: UserPtr, liovcnt: ULong, remote_iov: UserPtr, riovcnt: ULong, flags: ULong
) -> int:
    """Copy to a process. Errors: as process_vm_readv."""
    other = _find(task, pid, flags)
    local = task.memory.read_iovec(local_iov, liovcnt)
    if _is_empty(local):
        return 0  # the rest is not looked at
    theirs = task.memory.read_iovec(remote_iov, riovcnt)
    if _is_empty(theirs):
        return 0
    return remote.copy(UserSource(task.memory.guest, local), UserSink(_allowed(task, other).memory.guest, theirs))


def _is_empty(segments: list[tuple[int, int]]) -> bool:
    return not any(length for _, length in segments)


def _find(task: Task, pid: int, flags: int) -> Task | None:
    if flags:
        raise SyscallError(EINVAL)
    return task.kernel.tasks.find_task(pid)


def _allowed(task: Task, other: Task | None) -> Task:
    if other is None or other.is_exiting or not other.group.is_alive:
        raise SyscallError(ESRCH)
    if not may_inspect(task, other):
        raise SyscallError(EPERM)
    return other
