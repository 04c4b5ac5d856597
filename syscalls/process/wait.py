"""wait4(2), waitid(2): held until a child of ours has something to report, then run by the host, which writes status and
rusage (kernel-facts.md 5). Pointers only receive results, so letting the call through is safe.
"""

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from sentry.fs import pidfd
from sentry.fs.pidfd import pidfd_of
from sentry.kernel import closing
from sentry.kernel.task import Task
from sentry.kernel.task_wait import Match, consume, find_waitable, match_pid
from sentry.kernel.thread_group import ThreadGroup
from sentry.sched.wait import wait_until
from syscalls.abi.errno import EAGAIN, EINVAL, ESRCH
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_NONBLOCK
from syscalls.abi.signal import SIGCHLD
from syscalls.abi.wait import P_ALL, P_PGID, P_PID, P_PIDFD, WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WSTOPPED, WUNTRACED
from syscalls.args import PROCEED, Int, Pid, Result, UInt, UserPtr
from syscalls.registry import syscall

_HOST_WRITES = "a child of the caller has something to report; the host writes status and rusage"
_WCLONE, _WALL = 0x80000000, 0x40000000
_KINDS = 0xE0000000  # these two and __WNOTHREAD
_INT_MIN = -0x80000000
_SI_PID, _SI_UID = 16, 20
_Outcome = Result | Coroutine[Any, Any, Result]


@syscall(man="wait4(2)", proceeds=_HOST_WRITES)
def sys_wait4(task: Task, pid: Pid, wstatus: UserPtr, options: UInt, rusage: UserPtr) -> _Outcome:
    """Wait for a child to die, stop or go on. Errors: EINVAL options; ESRCH; ECHILD; EINTR."""
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | _KINDS):
        raise SyscallError(EINVAL)
    if pid == _INT_MIN:
        raise SyscallError(ESRCH)
    return _wait(task, _of_kind(match_pid(task, pid), options), options | WEXITED)


@syscall(man="waitid(2)", proceeds=_HOST_WRITES)
def sys_waitid(
    task: Task, idtype: Int, upid: Pid, infop: UserPtr, options: UInt, rusage: UserPtr
) -> _Outcome | None:
    """Wait for the kinds of change that ``options`` names. Errors: EINVAL; EBADF; ECHILD; EAGAIN; EINTR."""
    kinds = options & (WEXITED | WSTOPPED | WCONTINUED)
    if options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | _KINDS) or not kinds:
        raise SyscallError(EINVAL)
    if idtype == P_ALL:
        matches = match_pid(task, -1)
    elif idtype == P_PID and upid > 0:
        matches = match_pid(task, upid)
    elif idtype == P_PGID and upid >= 0:
        matches = _in_process_group(upid or task.group.process_group.pgid)
    elif idtype == P_PIDFD and upid >= 0:
        file = pidfd_of(task, upid)
        if closing.has(task, upid):
            return _lent_later(task, idtype, upid, infop, options, rusage)
        pidfd.lend(task, file, upid)
        matches = _exactly(file.group)
        if file.flags & O_NONBLOCK and not options & WNOHANG:
            return _told(task, infop, _try(task, _of_kind(matches, options), options))
    else:
        raise SyscallError(EINVAL)
    return _told(task, infop, _wait(task, _of_kind(matches, options), options))


def _told(task: Task, infop: int, outcome: _Outcome) -> _Outcome | None:
    """The host writes the one identity of the jail as si_uid: once it has, the child's own takes its place."""
    if not infop:
        return outcome
    if isinstance(outcome, Coroutine):
        return _held_and_told(task, infop, outcome)

    def has_run() -> None:
        with suppress(SyscallError):  # the host could not write there either
            pid = task.memory.read_i32(infop + _SI_PID)
            uid = task.kernel.tasks.uid_of(pid) if pid else None
            if uid is not None and task.memory.read_i32(infop) == SIGCHLD:
                task.memory.write_u32(infop + _SI_UID, uid)

    task.context.proceed_then(has_run)
    return None


async def _held_and_told(task: Task, infop: int, held: Coroutine[Any, Any, Result]) -> Any:
    return _told(task, infop, await held)


async def _lent_later(task: Task, idtype: int, upid: int, infop: int, options: int, rusage: int) -> Any:
    """The host is closing what it had under the pidfd's number before."""
    await closing.wait_for(task, upid)
    outcome = sys_waitid(task, idtype, upid, infop, options, rusage)
    return await outcome if isinstance(outcome, Coroutine) else outcome


def _of_kind(matches: Match, options: int) -> Match:
    """wait4(2): children that were not made with SIGCHLD wait for __WCLONE or __WALL."""
    if options & _WALL:
        return matches
    is_clone = bool(options & _WCLONE)
    return lambda child: matches(child) and (child.exit_signal != SIGCHLD) is is_clone


def _in_process_group(pgid: int) -> Match:
    return lambda child: child.process_group.pgid == pgid


def _exactly(group: ThreadGroup) -> Match:
    return lambda child: child is group


def _try(task: Task, matches: Match, options: int) -> Result:
    """A non-blocking pidfd: the host, which would wait, is asked only when there is something. Errors: EAGAIN."""
    child = find_waitable(task, matches, options)
    if child is None:
        raise SyscallError(EAGAIN)
    consume(child, options)
    return PROCEED


def _wait(task: Task, matches: Match, options: int) -> _Outcome:
    child = find_waitable(task, matches, options)
    if child is not None:
        consume(child, options)
        return PROCEED
    if options & WNOHANG:
        return PROCEED
    return _hold(task, matches, options)


async def _hold(task: Task, matches: Match, options: int) -> Result:
    child = await wait_until(task.fiber, lambda: find_waitable(task, matches, options), [task.group.wait_queue])
    consume(child, options)
    return PROCEED
