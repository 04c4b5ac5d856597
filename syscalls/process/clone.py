"""clone(2), fork(2), vfork(2): births happen in the host kernel; the platform reports each before the child runs."""

from sentry.kernel.task import Task
from syscalls.abi.capability import CAP_SYS_ADMIN
from syscalls.abi.errno import E2BIG, EBADF, EINVAL, ENOSYS, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.sched import (
    CLONE_ARGS,
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_CLEAR_SIGHAND,
    CLONE_DETACHED,
    CLONE_FILES,
    CLONE_FS,
    CLONE_INTO_CGROUP,
    CLONE_IO,
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
    CSIGNAL,
)
from syscalls.abi.signal import NSIG
from syscalls.args import PROCEED, Result, Size, ULong, UserPtr
from syscalls.registry import Support, native, syscall

_ARGS_MIN, _ARGS_MAX = 64, 4096
_PID_NAMESPACES_MAX, PID_MAX = 32, 1 << 22
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
_CLONE3_FLAGS = (0xFFFFFFFF & ~CSIGNAL & ~CLONE_DETACHED) | CLONE_NEWTIME | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP
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
    _check_flags(flags)
    if flags & ~NATIVE_FLAGS:
        raise SyscallError(EINVAL)
    return PROCEED


native("fork", "fork(2)", "copies only the caller; the platform reports the birth before the child runs")
native("vfork", "vfork(2)", "copies only the caller; the platform reports the birth before the child runs")


def _check_flags(flags: int) -> None:
    """Errors: EINVAL flags that exclude each other; EPERM namespaces. Linux: kernel/fork.c, copy_process()."""
    if flags & CLONE_FS and flags & (CLONE_NEWNS | CLONE_NEWUSER):
        raise SyscallError(EINVAL)
    if flags & CLONE_THREAD and (not flags & CLONE_SIGHAND or flags & (CLONE_NEWUSER | CLONE_NEWPID)):
        raise SyscallError(EINVAL)
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        raise SyscallError(EINVAL)
    if flags & NAMESPACE_FLAGS:
        raise SyscallError(EPERM)


@syscall(
    man="clone(2)",
    support=Support.REFUSED,
    note="ENOSYS: its arguments lie in memory that can change after the check; C libraries fall back to clone",
)
def sys_clone3(task: Task, cl_args: UserPtr, size: Size) -> int:
    """Refuse. Errors: E2BIG, EINVAL, EFAULT, EBADF, EPERM as they are due; ENOSYS for what is valid."""
    if size > _ARGS_MAX:
        raise SyscallError(E2BIG)
    if size < _ARGS_MIN:
        raise SyscallError(EINVAL)
    data = task.memory.read(cl_args, size)
    if any(data[CLONE_ARGS.size :]):
        raise SyscallError(E2BIG)
    flags, _, _, _, signal, stack, stack_size, _, set_tid, tids, cgroup = CLONE_ARGS.unpack(
        data[: CLONE_ARGS.size].ljust(CLONE_ARGS.size, b"\0")
    )
    if tids > _PID_NAMESPACES_MAX or bool(set_tid) != bool(tids) or signal > NSIG:
        raise SyscallError(EINVAL)
    if flags & CLONE_INTO_CGROUP and (cgroup > 0x7FFFFFFF or size < CLONE_ARGS.size):
        raise SyscallError(EINVAL)
    if set_tid:
        task.memory.read(set_tid, 4 * tids)
    if flags & ~_CLONE3_FLAGS or (flags & CLONE_SIGHAND and flags & CLONE_CLEAR_SIGHAND):
        raise SyscallError(EINVAL)
    if (flags & (CLONE_THREAD | CLONE_PARENT) and signal) or bool(stack) != bool(stack_size):
        raise SyscallError(EINVAL)
    _check_flags(flags)
    if flags & CLONE_NEWTIME:
        raise SyscallError(EPERM)
    if flags & CLONE_INTO_CGROUP:
        task.fds.get(cgroup)
        raise SyscallError(EBADF)
    if set_tid:
        _check_number(task, task.memory.read_i32(set_tid), tids)
    raise SyscallError(ENOSYS)


def _check_number(task: Task, number: int, levels: int) -> None:
    """Errors: EINVAL no such number in the one pid namespace; EPERM without CAP_SYS_ADMIN. Linux: kernel/pid.c, alloc_pid()."""
    if levels > 1 or not 0 < number < PID_MAX:
        raise SyscallError(EINVAL)
    if not task.credentials.has(CAP_SYS_ADMIN):
        raise SyscallError(EPERM)
