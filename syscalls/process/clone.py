"""clone(2), fork(2), vfork(2): births happen in the host kernel; the platform reports each before the child runs."""

from sentry.kernel.task import Task
from syscalls.abi.errno import E2BIG, EINVAL, ENOSYS, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.sched import (
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_DETACHED,
    CLONE_FILES,
    CLONE_FS,
    CLONE_IO,
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_PARENT_SETTID,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
    CSIGNAL,
)
from syscalls.args import PROCEED, Result, Size, ULong, UserPtr
from syscalls.registry import Support, native, syscall

_ARGS_MIN, _ARGS_MAX = 64, 4096
#: what the filter lets through untrapped (kernel-facts.md 17)
NATIVE_FLAGS = (
    CSIGNAL
    | CLONE_VM
    | CLONE_FS
    | CLONE_FILES
    | CLONE_SIGHAND
    | CLONE_VFORK
    | CLONE_THREAD
    | CLONE_SYSVSEM
    | CLONE_SETTLS
    | CLONE_PARENT_SETTID
    | CLONE_CHILD_CLEARTID
    | CLONE_DETACHED
    | CLONE_CHILD_SETTID
    | CLONE_IO
)
NAMESPACE_FLAGS = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET


@syscall(
    man="clone(2)",
    support=Support.PARTIAL,
    note="no namespaces (EPERM); no CLONE_PIDFD, CLONE_PARENT, CLONE_PTRACE, CLONE_UNTRACED (EINVAL)",
    native="a birth shares or copies only what the caller has; the platform reports it before the child runs",
    condition="no flag but VM FS FILES SIGHAND VFORK THREAD SYSVSEM SETTLS *_SETTID CHILD_CLEARTID DETACHED IO",
)
def sys_clone(task: Task, flags: ULong, stack: UserPtr, parent_tid: UserPtr, child_tid: UserPtr, tls: ULong) -> Result:
    """Make a thread or process; reached only for what the filter does not let through. Errors: EPERM, EINVAL."""
    flags &= 0xFFFFFFFF
    if flags & CLONE_FS and flags & (CLONE_NEWNS | CLONE_NEWUSER):
        raise SyscallError(EINVAL)
    if flags & NAMESPACE_FLAGS:
        raise SyscallError(EPERM)
    if flags & ~NATIVE_FLAGS:
        raise SyscallError(EINVAL)
    return PROCEED


native("fork", "fork(2)", "copies only the caller; the platform reports the birth before the child runs")
native("vfork", "vfork(2)", "copies only the caller; the platform reports the birth before the child runs")


@syscall(
    man="clone(2)",
    support=Support.REFUSED,
    note="ENOSYS: its arguments lie in memory that can change after the check; C libraries fall back to clone",
)
def sys_clone3(task: Task, cl_args: UserPtr, size: Size) -> int:
    """Refuse. Errors: E2BIG, EINVAL size; EFAULT; ENOSYS."""
    if size > _ARGS_MAX:
        raise SyscallError(E2BIG)
    if size < _ARGS_MIN:
        raise SyscallError(EINVAL)
    task.memory.read(cl_args, size)
    raise SyscallError(ENOSYS)
