"""Calls that register the thread's own memory with the host kernel: thread ids, robust lists, rseq."""

from sentry.kernel.task import Task
from syscalls.abi.errno import EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.args import PROCEED, Pid, Result, UserPtr
from syscalls.registry import native, syscall

native("set_robust_list", "get_robust_list(2)", "the host walks a list in the thread's own memory when it ends")
native("rseq", "rseq(2)", "the host updates a structure in the thread's own memory")
native("sched_yield", "sched_yield(2)", "gives up the processor")
native("getcpu", "getcpu(2)", "tells the processor's number; the vDSO does so without a call")


@syscall(
    man="set_tid_address(2)",
    native="the host clears a word of the thread's own memory when it ends",
    condition="inside a pid namespace",
)
def sys_set_tid_address(task: Task, tidptr: UserPtr) -> Result:
    """Register the word and return the thread's number, which without a pid namespace is the host's own."""
    return PROCEED


@syscall(man="get_robust_list(2)")
def sys_get_robust_list(task: Task, pid: Pid, head_ptr: UserPtr, len_ptr: UserPtr) -> Result:
    """Return a thread's robust list. Errors: ESRCH; EPERM for another process of a different user."""
    if pid:
        other = task.kernel.tasks.find_task(pid)
        if other is None:
            raise SyscallError(ESRCH)
        creds, theirs = task.credentials, other.credentials
        if other.group is not task.group and creds.euid and (creds.euid, creds.egid) != (theirs.euid, theirs.egid):
            raise SyscallError(EPERM)
    return PROCEED
