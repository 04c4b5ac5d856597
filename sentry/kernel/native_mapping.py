"""Mappings that the sentry makes and removes in a guest's memory, by host calls in the guest's own thread (Context.inject).

mmap(2) of a guest's own descriptor needs none of this: shmat(2) maps what has no descriptor.
"""

from typing import TYPE_CHECKING

from sentry.arch.x86_64 import NR_CLOSE, NR_MMAP, NR_MUNMAP
from sentry.sched.wait import Latch
from syscalls.abi.errors import SyscallError
from syscalls.abi.mman import MAP_ANONYMOUS, MAP_PRIVATE

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.platform.interface import HostFd

_U64 = (1 << 64) - 1


async def map_host_file(task: "Task", host_fd: "HostFd", addr: int, length: int, prot: int, flags: int) -> int:
    """mmap(2) of a descriptor of the sentry's, opened with exactly the guest's rights; returns the address.

    Errors: those of mmap(2). One descriptor table has one lent descriptor at a time, closed before the call ends.
    """
    fds = task.fds
    while fds.lending is not None:
        await fds.lending.wait(task.fiber)
    fds.lending = lending = Latch()
    try:
        number = task.context.lend_fd(host_fd)
        address = await _run(task, NR_MMAP, addr, length, prot, flags, number, 0)
        await _run(task, NR_CLOSE, number)
    finally:
        fds.lending = None
        lending.fire()
    return _checked(address)


async def map_anonymous(task: "Task", length: int, prot: int) -> int:
    """mmap(2) of fresh private memory; returns the address. Errors: ENOMEM."""
    return _checked(await _run(task, NR_MMAP, 0, length, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))


async def unmap(task: "Task", addr: int, length: int) -> None:
    """munmap(2). Errors: ENOMEM (too many pieces)."""
    _checked(await _run(task, NR_MUNMAP, addr, length))


async def _run(task: "Task", nr: int, *arguments: int) -> int:
    latch = Latch()
    task.context.inject(nr, [argument & _U64 for argument in arguments], latch.fire)
    result = await latch.wait(task.fiber)
    assert isinstance(result, int)
    return result


def _checked(result: int) -> int:
    if -4096 < result < 0:
        raise SyscallError(-result)
    return result
