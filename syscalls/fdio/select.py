"""select(2), pselect(2)."""

from collections.abc import Sequence

from sentry.kernel.io import Outcome
from sentry.kernel.poll import PollSet
from sentry.kernel.task import Task
from sentry.kernel.timeout import Timeout
from sentry.vfs.file import O_PATH
from sentry.vfs.readiness import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from syscalls.abi.errno import EBADF, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.time import TIMESPEC, TIMEVAL
from syscalls.args import Int, UserPtr
from syscalls.fdio.sigmask import read_sigmask
from syscalls.registry import masked, syscall

_IN = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR
_OUT = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR
_EXCEPT = POLLPRI
_WORD = 64


class _Request:
    """Three descriptor sets that have been read once (Linux: fs/select.c, core_sys_select())."""

    __slots__ = ("_addresses", "_numbers", "_sets", "_size", "_task", "files")

    def __init__(self, task: Task, nfds: int, addresses: Sequence[int]) -> None:
        if nfds < 0:
            raise SyscallError(EINVAL)
        nfds = min(nfds, _table_size(task))
        self._task = task
        self._addresses = addresses
        self._size = (nfds + _WORD - 1) // _WORD * (_WORD // 8)
        self._sets = [_read_set(task, addr, self._size, nfds) for addr in addresses]
        self._numbers: list[int] = []
        self.files = PollSet()
        wanted = self._sets[0] | self._sets[1] | self._sets[2]
        while wanted:
            bit = wanted & -wanted
            wanted ^= bit
            fd = bit.bit_length() - 1
            file = task.fds.find(fd)
            if file is None or file.flags & O_PATH:
                raise SyscallError(EBADF)
            self._numbers.append(fd)
            events = _IN * bool(self._sets[0] & bit) | _OUT * bool(self._sets[1] & bit) | _EXCEPT * bool(self._sets[2] & bit)
            self.files.add(file, events)

    def results(self, found: list[int]) -> list[int]:
        """The three sets of what is ready among ``found``."""
        ready = [0, 0, 0]
        for fd, events in zip(self._numbers, found, strict=True):
            bit = 1 << fd
            for index, mask in enumerate((_IN, _OUT, _EXCEPT)):
                if events & mask and self._sets[index] & bit:
                    ready[index] |= bit
        return ready

    def is_ready(self, found: list[int]) -> bool:
        """Whether any wanted event is there."""
        return any(self.results(found))

    def store(self, found: list[int]) -> int:
        """Write the sets and return the number of bits in them. Errors: EFAULT."""
        results = self.results(found)
        for addr, bits in zip(self._addresses, results, strict=True):
            if addr and self._size:
                self._task.memory.write(addr, bits.to_bytes(self._size, "little"))
        return sum(bits.bit_count() for bits in results)


@syscall(man="select(2)")
def sys_select(task: Task, nfds: Int, readfds: UserPtr, writefds: UserPtr, exceptfds: UserPtr, timeout: UserPtr) -> Outcome:
    """Wait until a descriptor of the sets is ready; the time left is stored. Errors: EBADF, EFAULT, EINTR, EINVAL."""
    limit = Timeout(task, timeout, TIMEVAL)
    return _select(task, _Request(task, nfds, (readfds, writefds, exceptfds)), limit)


@syscall(man="select(2)")
def sys_pselect6(
    task: Task, nfds: Int, readfds: UserPtr, writefds: UserPtr, exceptfds: UserPtr, timeout: UserPtr, sigmask: UserPtr
) -> Outcome:
    """select(2) with nanoseconds and a signal mask (here: none). Errors: EBADF, EFAULT, EINTR, EINVAL."""
    limit = Timeout(task, timeout, TIMESPEC)
    return _select(task, _Request(task, nfds, (readfds, writefds, exceptfds)), limit)


@masked
async def masked_pselect6(
    task: Task, nfds: Int, readfds: UserPtr, writefds: UserPtr, exceptfds: UserPtr, timeout: UserPtr, sigmask: UserPtr
) -> int | None:
    """pselect(2) with a mask: ``sigmask`` points to the set's address and size."""
    limit = Timeout(task, timeout, TIMESPEC)
    mask = read_sigmask(task, task.memory.read_u64(sigmask), task.memory.read_u64(sigmask + 8))
    request = _Request(task, nfds, (readfds, writefds, exceptfds))
    found: list[int] | None = request.files.scan()
    assert found is not None
    try:
        if not limit.is_zero and not request.is_ready(found):
            found = await request.files.wait(task, limit.deadline_ns, request.is_ready, mask)
    finally:
        limit.store_rest()
    return None if found is None else request.store(found)


def _select(task: Task, request: _Request, limit: Timeout) -> Outcome:
    found = request.files.scan()
    if limit.is_zero or request.is_ready(found):
        limit.store_rest()
        return request.store(found)
    return _wait(task, request, limit)


async def _wait(task: Task, request: _Request, limit: Timeout) -> int:
    try:
        found = await request.files.wait(task, limit.deadline_ns, request.is_ready)
    finally:
        limit.store_rest()
    assert found is not None
    return request.store(found)


def _read_set(task: Task, addr: int, size: int, nfds: int) -> int:
    if not addr or not size:
        return 0
    return int.from_bytes(task.memory.read(addr, size), "little") & ((1 << nfds) - 1)


def _table_size(task: Task) -> int:
    """How many numbers Linux's table would hold now: beyond it bits are ignored (select(2), BUGS)."""
    numbers = task.fds.numbers()
    highest = numbers[-1] + 1 if numbers else 0
    return _WORD if highest <= _WORD else max(256, 1 << (highest - 1).bit_length())
