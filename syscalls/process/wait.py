"""wait4(2), waitid(2): held until a child of ours has something to report, then run by the host, which writes status and
rusage (kernel-facts.md 5). Pointers only receive results, so letting the call through is safe.
"""

from collections.abc import Coroutine
from typing import Any

from sentry.kernel.task import Task
from sentry.kernel.task_wait import Match, consume, count_dead, find_waitable, match_pid
from sentry.kernel.thread_group import ThreadGroup
from sentry.sched.wait import wait_until
from syscalls.abi.errno import EINVAL, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.wait import P_ALL, P_PGID, P_PID, WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WSTOPPED, WUNTRACED
from syscalls.args import PROCEED, Int, Pid, Result, UInt, UserPtr
from syscalls.registry import Support, syscall

_KINDS = 0xE0000000  # __WALL | __WCLONE | __WNOTHREAD
_INT_MIN = -0x80000000


@syscall(man="wait4(2)")
def sys_wait4(task: Task, pid: Pid, wstatus: UserPtr, options: UInt, rusage: UserPtr) -> Result | Coroutine[Any, Any, Result]:
    """Wait for a child to die, stop or go on. Errors: EINVAL options; ESRCH; ECHILD; EINTR."""
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | _KINDS):
        raise SyscallError(EINVAL)
    if pid == _INT_MIN:
        raise SyscallError(ESRCH)
    return _wait(task, match_pid(task, pid), options | WEXITED)


@syscall(man="waitid(2)", support=Support.PARTIAL, note="P_PIDFD is EINVAL, as before Linux 5.4")
def sys_waitid(
    task: Task, idtype: Int, upid: Pid, infop: UserPtr, options: UInt, rusage: UserPtr
) -> Result | Coroutine[Any, Any, Result]:
    """Wait for the kinds of change that ``options`` names. Errors: EINVAL; ECHILD; EINTR."""
    kinds = options & (WEXITED | WSTOPPED | WCONTINUED)
    if options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | _KINDS) or not kinds:
        raise SyscallError(EINVAL)
    if idtype == P_ALL:
        pid = -1
    elif idtype == P_PID and upid > 0:
        pid = upid
    elif idtype == P_PGID and upid >= 0:
        pid = -upid
    else:
        # Differs from Linux: P_PIDFD, whose descriptor the host does not have.
        raise SyscallError(EINVAL)
    matches = match_pid(task, pid)
    if idtype == P_PGID and upid == 1:
        matches = _in_group_one  # -1 would mean any child
    return _wait(task, matches, options)


def _wait(task: Task, matches: Match, options: int) -> Result | Coroutine[Any, Any, Result]:
    child = find_waitable(task, matches, options)
    if child is not None:
        consume(child, count_dead(task, matches), options)
        return PROCEED
    if options & WNOHANG:
        return PROCEED
    return _hold(task, matches, options)


async def _hold(task: Task, matches: Match, options: int) -> Result:
    child = await wait_until(task.fiber, lambda: find_waitable(task, matches, options), [task.group.wait_queue])
    consume(child, count_dead(task, matches), options)
    return PROCEED


def _in_group_one(child: ThreadGroup) -> bool:
    return child.process_group.pgid == 1
