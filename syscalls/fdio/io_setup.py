"""io_setup(2), io_destroy(2), io_cancel(2)."""

from sentry.fs.aio import AioContext
from sentry.kernel.native_mapping import map_anonymous, unmap
from sentry.kernel.task import Task
from syscalls.abi.aio import AIO_MAX_NR, IO_EVENT, KIOCB_KEY, KIOCB_KEY_OFFSET
from syscalls.abi.errno import EAGAIN, EINPROGRESS, EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.mman import PROT_READ
from syscalls.args import UInt, ULong, UserPtr
from syscalls.registry import syscall

_PAGE = 4096
_U64 = (1 << 64) - 1
_EVENTS_MAX = 0x10000000 // IO_EVENT.size


def context_of(task: Task, address: int) -> AioContext:
    """Errors: EINVAL no context of this process."""
    context = task.group.aio.get(address)
    if context is None:
        raise SyscallError(EINVAL)
    return context


@syscall(man="io_setup(2)")
async def sys_io_setup(task: Task, nr_events: UInt, ctx_idp: UserPtr) -> int:
    """Make a context for ``nr_events`` requests. Errors: EAGAIN, EFAULT, EINVAL, ENOMEM.

    Its name is the address of a page, because the C library looks at the ring that Linux has there; this one is empty, which
    makes it ask the kernel.
    """
    group = task.group
    if task.memory.read_u64(ctx_idp) or not nr_events or nr_events > _EVENTS_MAX:
        raise SyscallError(EINVAL)
    used = sum(one.wanted for other in task.kernel.tasks.processes() for one in other.aio.values())
    if used + nr_events > AIO_MAX_NR:
        raise SyscallError(EAGAIN)
    address = await map_anonymous(task, _PAGE, PROT_READ)
    group.aio[address] = AioContext(address, nr_events)
    try:
        task.memory.write_u64(ctx_idp, address)
    except SyscallError:
        group.aio.pop(address).destroy()
        await unmap(task, address, _PAGE)
        raise
    return 0


@syscall(man="io_destroy(2)")
async def sys_io_destroy(task: Task, ctx_id: ULong) -> int:
    """End a context and cancel what is under way. Errors: EINVAL."""
    context_of(task, ctx_id)
    task.group.aio.pop(ctx_id).destroy()
    await unmap(task, ctx_id, _PAGE)
    return 0


@syscall(man="io_cancel(2)")
def sys_io_cancel(task: Task, ctx_id: ULong, iocb: UserPtr, result: UserPtr) -> int:
    """Cancel a poll; its event comes all the same. Errors: EFAULT, EINPROGRESS (it worked), EINVAL."""
    if task.memory.read_u32((iocb + KIOCB_KEY_OFFSET) & _U64) != KIOCB_KEY:
        raise SyscallError(EINVAL)
    if not context_of(task, ctx_id).cancel(iocb):
        raise SyscallError(EINVAL)
    raise SyscallError(EINPROGRESS)
