"""epoll_wait(2), epoll_pwait(2), epoll_pwait2(2)."""

from collections.abc import Callable

from sentry.fs.epoll.file import EpollFile
from sentry.kernel.io import Outcome
from sentry.kernel.masked_wait import sleep_masked
from sentry.kernel.task import Task
from sentry.kernel.timeout import to_nanoseconds
from sentry.sched.wait import Interrupted, Restart, TimedOut, wait_until
from syscalls.abi.epoll import EPOLL_EVENT
from syscalls.abi.errno import EINTR, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.time import TIMESPEC
from syscalls.args import Fd, Int, Size, UserPtr
from syscalls.fdio.sigmask import read_sigmask
from syscalls.registry import masked, syscall

_MAXEVENTS_MAX = 0x7FFFFFFF // EPOLL_EVENT.size
_NEVER = -1


@syscall(man="epoll_wait(2)")
def sys_epoll_wait(task: Task, epfd: Fd, events: UserPtr, maxevents: Int, timeout: Int) -> Outcome:
    """Store up to ``maxevents`` ready events; waits up to ``timeout`` milliseconds. Errors: EBADF, EFAULT, EINTR, EINVAL."""
    return _epoll_wait(task, epfd, events, maxevents, _from_milliseconds(timeout))


@syscall(man="epoll_wait(2)")
def sys_epoll_pwait(
    task: Task, epfd: Fd, events: UserPtr, maxevents: Int, timeout: Int, sigmask: UserPtr, sigsetsize: Size
) -> Outcome:
    """epoll_wait(2) with a signal mask (here: none)."""
    return _epoll_wait(task, epfd, events, maxevents, _from_milliseconds(timeout))


@syscall(man="epoll_wait(2)")
def sys_epoll_pwait2(
    task: Task, epfd: Fd, events: UserPtr, maxevents: Int, timeout: UserPtr, sigmask: UserPtr, sigsetsize: Size
) -> Outcome:
    """epoll_pwait(2) with a timespec; NULL waits for ever."""
    return _epoll_wait(task, epfd, events, maxevents, _from_timespec(task, timeout))


@masked
async def masked_epoll_pwait(
    task: Task, epfd: Fd, events: UserPtr, maxevents: Int, timeout: Int, sigmask: UserPtr, sigsetsize: Size
) -> int | None:
    """epoll_pwait(2) with a mask."""
    mask = read_sigmask(task, sigmask, sigsetsize)
    return await _wait_masked(task, epfd, events, maxevents, _from_milliseconds(timeout), mask)


@masked
async def masked_epoll_pwait2(
    task: Task, epfd: Fd, events: UserPtr, maxevents: Int, timeout: UserPtr, sigmask: UserPtr, sigsetsize: Size
) -> int | None:
    """epoll_pwait2(2) with a mask."""
    duration = _from_timespec(task, timeout)
    mask = read_sigmask(task, sigmask, sigsetsize)
    return await _wait_masked(task, epfd, events, maxevents, duration, mask)


def _from_milliseconds(timeout: int) -> int:
    return _NEVER if timeout < 0 else timeout * 1_000_000


def _from_timespec(task: Task, addr: int) -> int:
    return to_nanoseconds(*task.memory.read_struct(TIMESPEC, addr)) if addr else _NEVER


def _instance(task: Task, epfd: int, maxevents: int) -> EpollFile:
    """Errors: EINVAL too few or too many events, or not an epoll descriptor; EBADF."""
    if not 0 < maxevents <= _MAXEVENTS_MAX:
        raise SyscallError(EINVAL)
    epoll = task.fds.get(epfd)
    if not isinstance(epoll, EpollFile):
        raise SyscallError(EINVAL)
    return epoll


def _attempt(task: Task, epoll: EpollFile, addr: int, maxevents: int) -> Callable[[], int | None]:
    """What stores ready events: they are consumed only when the guest's memory has taken them."""

    def attempt() -> int | None:
        found = epoll.collect(maxevents)
        if not found:
            return None
        try:
            task.memory.write(addr, b"".join(EPOLL_EVENT.pack(events, item.data) for events, item in found))
        except SyscallError:
            epoll.put_back(found)
            raise
        epoll.commit(found)
        return len(found)

    return attempt


def _epoll_wait(task: Task, epfd: int, addr: int, maxevents: int, duration_ns: int) -> Outcome:
    epoll = _instance(task, epfd, maxevents)
    attempt = _attempt(task, epoll, addr, maxevents)
    count = attempt()
    if count is not None or duration_ns == 0:
        return count or 0
    return _wait(task, epoll, attempt, duration_ns)


async def _wait(task: Task, epoll: EpollFile, attempt: Callable[[], int | None], duration_ns: int) -> int:
    deadline = None if duration_ns == _NEVER else task.kernel.runner.monotonic_ns() + duration_ns
    epoll.acquire()
    try:
        return await wait_until(task.fiber, attempt, (epoll.queue,), deadline_ns=deadline, restart=Restart.NOHAND)
    except TimedOut:
        return 0
    except Interrupted:
        # Never made again, not even after a stop (signal(7)); among several threads a signal may have been another's.
        if len(task.group.tasks) > 1 and not task.group.is_stopped:
            raise
        raise SyscallError(EINTR) from None
    finally:
        epoll.release()


async def _wait_masked(task: Task, epfd: int, addr: int, maxevents: int, duration_ns: int, mask: int) -> int | None:
    epoll = _instance(task, epfd, maxevents)
    attempt = _attempt(task, epoll, addr, maxevents)
    if duration_ns == 0:
        return attempt() or 0
    deadline = None if duration_ns == _NEVER else task.kernel.runner.monotonic_ns() + duration_ns
    epoll.acquire()
    try:
        return await sleep_masked(task, attempt, (epoll.queue,), mask, deadline)
    except TimedOut:
        return 0
    finally:
        epoll.release()
