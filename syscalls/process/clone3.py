"""clone3(2): clone(2) with its arguments in memory."""

from collections.abc import Coroutine
from typing import Any, NamedTuple

from sentry.fs.pidfd import PidfdOfChild
from sentry.kernel import births
from sentry.kernel.births import Request
from sentry.kernel.task import Task
from syscalls.abi.capability import CAP_SYS_ADMIN
from syscalls.abi.errno import E2BIG, EBADF, EINVAL, ENOSYS, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.sched import (
    CLONE_ARGS,
    CLONE_CHILD_CLEARTID,
    CLONE_CLEAR_SIGHAND,
    CLONE_DETACHED,
    CLONE_FILES,
    CLONE_FS,
    CLONE_INTO_CGROUP,
    CLONE_NEWTIME,
    CLONE_PARENT,
    CLONE_PARENT_SETTID,
    CLONE_PIDFD,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VM,
    CSIGNAL,
)
from syscalls.abi.signal import NSIG
from syscalls.args import Size, UserPtr
from syscalls.process.clone import check_flags
from syscalls.registry import Support, syscall

_ARGS_MIN, _ARGS_MAX = 64, 4096
_INT_MAX = 0x7FFFFFFF
_PID_NAMESPACES_MAX, PID_MAX = 32, 1 << 22
#: pthread_create(3) of glibc and musl
_THREAD_OF_A_C_LIBRARY = (
    CLONE_VM
    | CLONE_FS
    | CLONE_FILES
    | CLONE_SIGHAND
    | CLONE_THREAD
    | CLONE_SYSVSEM
    | CLONE_SETTLS
    | CLONE_PARENT_SETTID
    | CLONE_CHILD_CLEARTID
)
_CLONE3_FLAGS = (0xFFFFFFFF & ~CSIGNAL & ~CLONE_DETACHED) | CLONE_NEWTIME | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP


class CloneArgs(NamedTuple):
    """struct clone_args."""

    flags: int
    pidfd: int
    child_tid: int
    parent_tid: int
    exit_signal: int
    stack: int
    stack_size: int
    tls: int
    set_tid: int
    set_tid_size: int
    cgroup: int


@syscall(
    man="clone(2)",
    support=Support.PARTIAL,
    note="no namespaces (EPERM), no set_tid (EINVAL), no CLONE_INTO_CGROUP (EBADF); exactly what the C library asks for to make "
    "a thread is ENOSYS: it falls back to clone, which passes without a trap (ADR 31)",
)
def sys_clone3(task: Task, cl_args: UserPtr, size: Size) -> int | Coroutine[Any, Any, int]:
    """Make a thread or process.

    Errors: E2BIG, EINVAL, EFAULT, EBADF, EPERM; EAGAIN, ENOMEM; with a pidfd EMFILE; ENOSYS for a C library's thread.
    """
    if size > _ARGS_MAX:
        raise SyscallError(E2BIG)
    if size < _ARGS_MIN:
        raise SyscallError(EINVAL)
    data = task.memory.read(cl_args, size)
    if any(data[CLONE_ARGS.size :]):
        raise SyscallError(E2BIG)
    args = CloneArgs._make(CLONE_ARGS.unpack(data[: CLONE_ARGS.size].ljust(CLONE_ARGS.size, b"\0")))
    if args.flags == _THREAD_OF_A_C_LIBRARY and args.stack and args.stack_size and not args.exit_signal and not args.set_tid:
        return -ENOSYS
    _check(task, args, size)
    stack = args.stack + args.stack_size
    request = Request(args.flags, args.exit_signal, stack, args.parent_tid, args.child_tid, args.tls)
    pidfd = PidfdOfChild(task, args.pidfd) if args.flags & CLONE_PIDFD else None
    return births.bear(task, request, pidfd)


def _check(task: Task, args: CloneArgs, size: int) -> None:
    """In Linux's order (kernel/fork.c, copy_clone_args_from_user(), clone3_args_valid())."""
    flags = args.flags
    if args.set_tid_size > _PID_NAMESPACES_MAX or bool(args.set_tid) != bool(args.set_tid_size) or args.exit_signal > NSIG:
        raise SyscallError(EINVAL)
    if flags & CLONE_INTO_CGROUP and (args.cgroup > _INT_MAX or size < CLONE_ARGS.size):
        raise SyscallError(EINVAL)
    if args.set_tid:
        task.memory.read(args.set_tid, 4 * args.set_tid_size)
    if flags & ~_CLONE3_FLAGS or (flags & CLONE_SIGHAND and flags & CLONE_CLEAR_SIGHAND):
        raise SyscallError(EINVAL)
    if (flags & (CLONE_THREAD | CLONE_PARENT) and args.exit_signal) or bool(args.stack) != bool(args.stack_size):
        raise SyscallError(EINVAL)
    check_flags(flags)
    if flags & CLONE_NEWTIME:
        raise SyscallError(EPERM)
    if flags & CLONE_INTO_CGROUP:
        task.fds.get(args.cgroup)
        raise SyscallError(EBADF)
    if args.set_tid:
        _check_number(task, task.memory.read_i32(args.set_tid), args.set_tid_size)
        raise SyscallError(EINVAL)


def _check_number(task: Task, number: int, levels: int) -> None:
    """Errors: EINVAL no such number in the one pid namespace; EPERM without CAP_SYS_ADMIN. Linux: kernel/pid.c, alloc_pid()."""
    if levels > 1 or not 0 < number < PID_MAX:
        raise SyscallError(EINVAL)
    if not task.credentials.has(CAP_SYS_ADMIN):
        raise SyscallError(EPERM)
