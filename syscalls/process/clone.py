"""clone(2), fork(2), vfork(2): births happen in the host kernel; the platform reports each before the child runs."""

from collections.abc import Coroutine
from typing import Any

from sentry.fs.pidfd import PidfdOfChild
from sentry.kernel import births
from sentry.kernel.births import Request
from sentry.kernel.task import Task
from syscalls.abi.errno import EINVAL, EPERM
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
    CLONE_PIDFD,
    CLONE_SETTLS,
    CLONE_SIGHAND,
    CLONE_SYSVSEM,
    CLONE_THREAD,
    CLONE_VFORK,
    CLONE_VM,
    CSIGNAL,
)
from syscalls.args import PROCEED, Result, ULong, UserPtr
from syscalls.registry import Support, native, syscall

Born = Result | Coroutine[Any, Any, int]
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
    note="no namespaces (EPERM); CLONE_PTRACE and CLONE_UNTRACED change nothing, as nobody traces",
    native="a birth shares or copies only what the caller has; the platform reports it before the child runs",
    condition="no flag but VM FS FILES SIGHAND VFORK THREAD SYSVSEM SETTLS *_SETTID CHILD_CLEARTID DETACHED IO",
)
def sys_clone(task: Task, flags: ULong, stack: UserPtr, parent_tid: UserPtr, child_tid: UserPtr, tls: ULong) -> Born:
    """Make a thread or process; reached only for what the filter does not let through.

    Errors: EPERM, EINVAL; EAGAIN, ENOMEM; with a pidfd EFAULT, EMFILE.
    """
    flags &= 0xFFFFFFFF
    check_flags(flags)
    if not flags & ~NATIVE_FLAGS:
        return PROCEED
    if flags & CLONE_PIDFD and flags & (CLONE_DETACHED | CLONE_PARENT_SETTID):
        raise SyscallError(EINVAL)
    pidfd = PidfdOfChild(task, parent_tid) if flags & CLONE_PIDFD else None
    return births.bear(task, Request(flags & ~CSIGNAL, flags & CSIGNAL, stack, parent_tid, child_tid, tls), pidfd)


native("fork", "fork(2)", "copies only the caller; the platform reports the birth before the child runs")
native("vfork", "vfork(2)", "copies only the caller; the platform reports the birth before the child runs")


def check_flags(flags: int) -> None:
    """Errors: EINVAL flags that exclude each other; EPERM namespaces. Linux: kernel/fork.c, copy_process()."""
    if flags & CLONE_FS and flags & (CLONE_NEWNS | CLONE_NEWUSER):
        raise SyscallError(EINVAL)
    if flags & CLONE_THREAD and (not flags & CLONE_SIGHAND or flags & (CLONE_NEWUSER | CLONE_NEWPID)):
        raise SyscallError(EINVAL)
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        raise SyscallError(EINVAL)
    if flags & CLONE_PIDFD and flags & CLONE_THREAD:
        raise SyscallError(EINVAL)
    if flags & NAMESPACE_FLAGS:
        raise SyscallError(EPERM)
