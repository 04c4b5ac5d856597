"""poll(2), ppoll(2)."""

from sentry.kernel.io import Outcome
from sentry.kernel.poll import PollSet
from sentry.kernel.task import Task
from sentry.kernel.timeout import Timeout
from sentry.sched.wait import Interrupted
from sentry.vfs.file import O_PATH
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.poll import POLLFD
from syscalls.abi.resource import RLIM_INFINITY, RLIMIT_NOFILE
from syscalls.abi.time import TIMESPEC
from syscalls.args import Int, Size, UInt, UserPtr
from syscalls.fdio.sigmask import read_sigmask
from syscalls.registry import masked, syscall


class _Request:
    """A struct pollfd array that has been read once."""

    __slots__ = ("_addr", "_rows", "files", "task")

    def __init__(self, task: Task, addr: int, nfds: int) -> None:
        if nfds > task.group.limits.get(RLIMIT_NOFILE, (RLIM_INFINITY, 0))[0]:
            raise SyscallError(EINVAL)
        self.task = task
        self._addr = addr
        self._rows = list(POLLFD.iter_unpack(task.memory.read(addr, nfds * POLLFD.size))) if nfds else []
        self.files = PollSet()
        for fd, events, _ in self._rows:
            file = task.fds.find(fd)
            if fd < 0:
                self.files.add_ignored()
            elif file is None or file.flags & O_PATH:
                self.files.add_invalid()
            else:
                self.files.add(file, events)

    def store(self, revents: list[int]) -> int:
        """Write the results and return how many entries have one. Errors: EFAULT."""
        rows = zip(self._rows, revents, strict=True)
        data = b"".join(POLLFD.pack(fd, events, got) for (fd, events, _), got in rows)
        if data:
            self.task.memory.write(self._addr, data)
        return len(revents) - revents.count(0)


@syscall(man="poll(2)")
def sys_poll(task: Task, fds: UserPtr, nfds: UInt, timeout: Int) -> Outcome:
    """Wait for events on several descriptors, at most ``timeout`` milliseconds. Errors: EFAULT, EINTR, EINVAL."""
    request = _Request(task, fds, nfds)
    revents = request.files.scan()
    if timeout == 0 or any(revents):
        return request.store(revents)
    if timeout < 0:
        return _wait(request, None)
    resumption, task.resumption = task.resumption, None
    if resumption is not None and resumption[0] == task.trap:
        return _wait_resumable(task, request, resumption[1])
    return _wait_resumable(task, request, task.kernel.runner.monotonic_ns() + timeout * 1_000_000)


@syscall(man="poll(2)")
def sys_ppoll(task: Task, fds: UserPtr, nfds: UInt, tmo_p: UserPtr, sigmask: UserPtr, sigsetsize: Size) -> Outcome:
    """poll(2) with nanoseconds and a signal mask (here: none); the time left is stored. Errors: EFAULT, EINTR, EINVAL."""
    timeout = Timeout(task, tmo_p, TIMESPEC)
    request = _Request(task, fds, nfds)
    revents = request.files.scan()
    if timeout.is_zero or any(revents):
        timeout.store_rest()
        return request.store(revents)
    return _wait_and_store_rest(request, timeout)


@masked
async def masked_ppoll(task: Task, fds: UserPtr, nfds: UInt, tmo_p: UserPtr, sigmask: UserPtr, sigsetsize: Size) -> int | None:
    """ppoll(2) with a mask."""
    timeout = Timeout(task, tmo_p, TIMESPEC)
    mask = read_sigmask(task, sigmask, sigsetsize)
    request = _Request(task, fds, nfds)
    revents: list[int] | None = request.files.scan()
    try:
        if not timeout.is_zero and not any(revents or ()):
            revents = await request.files.wait(task, timeout.deadline_ns, any, mask)
    finally:
        timeout.store_rest()
    return None if revents is None else request.store(revents)


async def _wait(request: _Request, deadline_ns: int | None) -> int:
    revents = await request.files.wait(request.task, deadline_ns, any)
    assert revents is not None
    return request.store(revents)


async def _wait_resumable(task: Task, request: _Request, deadline_ns: int) -> int:
    """A stop does not prolong the wait (signal(7); Linux: restart_syscall(2))."""
    try:
        return await _wait(request, deadline_ns)
    except Interrupted:
        task.resumption = task.trap, deadline_ns
        raise


async def _wait_and_store_rest(request: _Request, timeout: Timeout) -> int:
    try:
        return await _wait(request, timeout.deadline_ns)
    finally:
        timeout.store_rest()
