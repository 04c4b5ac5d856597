"""sched(7): policies and processor affinity. The host schedules; the sentry checks who is meant and refuses real-time."""

from sentry.kernel.ptrace_access import may_schedule
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.sched import (
    SCHED_BATCH,
    SCHED_DEADLINE,
    SCHED_EXT,
    SCHED_FIFO,
    SCHED_IDLE,
    SCHED_NORMAL,
    SCHED_RESET_ON_FORK,
    SCHED_RR,
)
from syscalls.args import PROCEED, Int, Pid, Result, UInt, UserPtr
from syscalls.registry import Support, syscall

_POLICIES = (SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE, SCHED_EXT)
_REALTIME = "real-time policies are EPERM"
_HOST_CHECKS = "whom it means was checked in a register; the guest has no host right to any real-time policy (RLIMIT_RTPRIO 0)"


@syscall(man="sched_setaffinity(2)")
def sys_sched_getaffinity(task: Task, pid: Pid, cpusetsize: UInt, mask: UserPtr) -> Result:
    """Store the set of processors a thread may run on. Errors: EINVAL, ESRCH, EFAULT."""
    _find(task, pid)
    return PROCEED


@syscall(man="sched_setaffinity(2)")
def sys_sched_setaffinity(task: Task, pid: Pid, cpusetsize: UInt, mask: UserPtr) -> Result:
    """Restrict a thread to a set of processors. Errors: EINVAL, ESRCH, EPERM, EFAULT."""
    _check_owner(task, _find(task, pid))
    return PROCEED


@syscall(man="sched_setscheduler(2)")
def sys_sched_getscheduler(task: Task, pid: Pid) -> Result:
    """Return a thread's policy. Errors: EINVAL negative pid; ESRCH."""
    _find(task, _check_pid(pid))
    return PROCEED


@syscall(man="sched_setscheduler(2)", support=Support.PARTIAL, note=_REALTIME, proceeds=_HOST_CHECKS)
def sys_sched_setscheduler(task: Task, pid: Pid, policy: Int, param: UserPtr) -> Result:
    """Set a thread's policy. Errors: EINVAL, ESRCH, EPERM."""
    if not param or policy < 0 or policy & ~SCHED_RESET_ON_FORK not in _POLICIES:
        raise SyscallError(EINVAL)
    _check_owner(task, _find(task, _check_pid(pid)))
    return PROCEED


@syscall(man="sched_setparam(2)")
def sys_sched_getparam(task: Task, pid: Pid, param: UserPtr) -> Result:
    """Store a thread's real-time priority. Errors: EINVAL, ESRCH, EFAULT."""
    if not param:
        raise SyscallError(EINVAL)
    _find(task, _check_pid(pid))
    return PROCEED


@syscall(man="sched_setparam(2)")
def sys_sched_setparam(task: Task, pid: Pid, param: UserPtr) -> Result:
    """Set a thread's real-time priority; without real-time policies only 0 is valid. Errors: EINVAL, ESRCH, EPERM."""
    if not param:
        raise SyscallError(EINVAL)
    _check_owner(task, _find(task, _check_pid(pid)))
    return PROCEED


@syscall(man="sched_setattr(2)")
def sys_sched_getattr(task: Task, pid: Pid, attr: UserPtr, size: UInt, flags: UInt) -> Result:
    """Store a thread's scheduling attributes. Errors: EINVAL, ESRCH, E2BIG, EFAULT."""
    if not attr or flags:
        raise SyscallError(EINVAL)
    _find(task, _check_pid(pid))
    return PROCEED


@syscall(man="sched_get_priority_max(2)")
def sys_sched_get_priority_max(task: Task, policy: Int) -> int:
    """Return the largest priority of a policy. Errors: EINVAL."""
    return _priority_bound(policy, 99)


@syscall(man="sched_get_priority_max(2)")
def sys_sched_get_priority_min(task: Task, policy: Int) -> int:
    """Return the smallest priority of a policy. Errors: EINVAL."""
    return _priority_bound(policy, 1)


@syscall(man="sched_rr_get_interval(2)")
def sys_sched_rr_get_interval(task: Task, pid: Pid, tp: UserPtr) -> Result:
    """Store a thread's time slice. Errors: EINVAL, ESRCH, EFAULT."""
    _find(task, _check_pid(pid))
    return PROCEED


@syscall(man="sched_setattr(2)", support=Support.PARTIAL, note=_REALTIME, proceeds=_HOST_CHECKS)
def sys_sched_setattr(task: Task, pid: Pid, attr: UserPtr, flags: UInt) -> Result:
    """Set a thread's policy, nice value and flags. Errors: EINVAL, ESRCH, EPERM, E2BIG, EFAULT."""
    if not attr or flags:
        raise SyscallError(EINVAL)
    _check_owner(task, _find(task, _check_pid(pid)))
    return PROCEED


def _priority_bound(policy: int, realtime: int) -> int:
    if policy not in _POLICIES:
        raise SyscallError(EINVAL)
    return realtime if policy in (SCHED_FIFO, SCHED_RR) else 0


def _check_pid(pid: int) -> int:
    if pid < 0:
        raise SyscallError(EINVAL)
    return pid


def _find(task: Task, pid: int) -> Task:
    other = task if pid == 0 else task.kernel.tasks.find_task(pid)
    if other is None:
        raise SyscallError(ESRCH)
    return other


def _check_owner(task: Task, other: Task) -> None:
    if not may_schedule(task, other):
        raise SyscallError(EPERM)
