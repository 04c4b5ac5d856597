"""io_submit(2)."""

from typing import NamedTuple

from sentry.fs.aio import AioContext
from sentry.fs.eventfd import EventFile
from sentry.kernel import io
from sentry.kernel.task import Task
from sentry.sched.wait import Interrupted
from sentry.vfs.file import FileDescription
from syscalls.abi.aio import (
    IOCB,
    IOCB_CMD_FDSYNC,
    IOCB_CMD_FSYNC,
    IOCB_CMD_POLL,
    IOCB_CMD_PREAD,
    IOCB_CMD_PREADV,
    IOCB_CMD_PWRITE,
    IOCB_CMD_PWRITEV,
    IOCB_FLAG_IOPRIO,
    IOCB_FLAG_RESFD,
    KIOCB_KEY,
    KIOCB_KEY_OFFSET,
)
from syscalls.abi.errno import EAGAIN, EBADF, EINTR, EINVAL, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import RWF_APPEND, RWF_DSYNC, RWF_HIPRI, RWF_NOWAIT, RWF_SYNC
from syscalls.args import Long, ULong, UserPtr
from syscalls.fdio.io_setup import context_of
from syscalls.registry import Support, syscall

_READS, _WRITES = (IOCB_CMD_PREAD, IOCB_CMD_PREADV), (IOCB_CMD_PWRITE, IOCB_CMD_PWRITEV)
_RWF = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND
_SSIZE_MAX = (1 << 63) - 1


class Iocb(NamedTuple):
    """struct iocb."""

    data: int
    key: int
    rw_flags: int
    opcode: int
    reqprio: int
    fd: int
    buf: int
    nbytes: int
    offset: int
    reserved: int
    flags: int
    resfd: int


@syscall(
    man="io_submit(2)",
    support=Support.PARTIAL,
    note="reads and writes are done while they are submitted, as Linux does for files that are not opened with O_DIRECT",
)
async def sys_io_submit(task: Task, ctx_id: ULong, nr: Long, iocbpp: UserPtr) -> int:
    """Start requests; returns how many. Errors: EAGAIN, EBADF, EFAULT, EINVAL, EOPNOTSUPP - of the first one."""
    if nr < 0:
        raise SyscallError(EINVAL)
    context = context_of(task, ctx_id)
    done = 0
    for index in range(min(nr, context.capacity)):
        try:
            await _submit(task, context, task.memory.read_u64(iocbpp + 8 * index))
        except SyscallError:
            if not done:
                raise
            break
        done += 1
    return done


async def _submit(task: Task, context: AioContext, address: int) -> None:
    iocb = Iocb(*IOCB.unpack(task.memory.read(address, IOCB.size)))
    if iocb.reserved or iocb.nbytes > _SSIZE_MAX:
        raise SyscallError(EINVAL)
    if not context.has_room:
        raise SyscallError(EAGAIN)
    file = task.fds.get(iocb.fd)
    eventfd = None
    if iocb.flags & IOCB_FLAG_RESFD:
        found = task.fds.get(iocb.resfd)
        if not isinstance(found, EventFile):
            raise SyscallError(EINVAL)
        eventfd = found
    task.memory.write_u32(address + KIOCB_KEY_OFFSET, KIOCB_KEY)
    if iocb.opcode == IOCB_CMD_POLL:
        if iocb.buf >> 16 or iocb.offset or iocb.nbytes or iocb.rw_flags:
            raise SyscallError(EINVAL)
        context.poll(iocb.data, address, file, iocb.buf, eventfd)
        return
    _check(task, iocb, file)
    file.acquire()
    try:
        result = await _perform(task, iocb, file)
    finally:
        file.release()
    context.complete(iocb.data, address, result, eventfd)


def _check(task: Task, iocb: Iocb, file: FileDescription) -> None:
    """What is an error of io_submit itself. Errors: EBADF, EINVAL, EOPNOTSUPP, EFAULT."""
    opcode = iocb.opcode
    if opcode in (IOCB_CMD_FSYNC, IOCB_CMD_FDSYNC):
        if iocb.buf or iocb.offset or iocb.nbytes or iocb.rw_flags:
            raise SyscallError(EINVAL)
        return
    if opcode not in _READS and opcode not in _WRITES:
        raise SyscallError(EINVAL)
    if iocb.rw_flags & ~_RWF:
        raise SyscallError(EOPNOTSUPP)
    if iocb.flags & IOCB_FLAG_IOPRIO and iocb.reqprio >> 13 not in (0, 2, 3):
        raise SyscallError(EINVAL)
    if not (file.is_readable if opcode in _READS else file.is_writable):
        raise SyscallError(EBADF)
    if opcode in (IOCB_CMD_PREADV, IOCB_CMD_PWRITEV):
        task.memory.read_iovec(iocb.buf, iocb.nbytes)


async def _perform(task: Task, iocb: Iocb, file: FileDescription) -> int:
    """The result that the event shows: a count or -errno."""
    try:
        outcome = await _sync(iocb, file) if iocb.opcode in (IOCB_CMD_FSYNC, IOCB_CMD_FDSYNC) else _transfer(task, iocb, file)
        result = outcome if isinstance(outcome, int) else await outcome
        if result > 0 and iocb.rw_flags & (RWF_DSYNC | RWF_SYNC):
            await file.fsync(data_only=not iocb.rw_flags & RWF_SYNC)
    except SyscallError as error:
        return -error.errno
    except Interrupted:
        return -EINTR
    return result


async def _sync(iocb: Iocb, file: FileDescription) -> int:
    await file.fsync(data_only=iocb.opcode == IOCB_CMD_FDSYNC)
    return 0


def _transfer(task: Task, iocb: Iocb, file: FileDescription) -> io.Outcome:
    nowait = bool(iocb.rw_flags & RWF_NOWAIT)
    memory = task.memory
    if iocb.opcode in _READS:
        is_vector = iocb.opcode == IOCB_CMD_PREADV
        sink = memory.sink_iovec(iocb.buf, iocb.nbytes) if is_vector else memory.sink(iocb.buf, iocb.nbytes)
        if not file.is_seekable:
            return io.read(task, file, sink, nowait=nowait)
        return io.pread(task, file, sink, iocb.offset, nowait=nowait)
    is_vector = iocb.opcode == IOCB_CMD_PWRITEV
    source = memory.source_iovec(iocb.buf, iocb.nbytes) if is_vector else memory.source(iocb.buf, iocb.nbytes)
    append = bool(iocb.rw_flags & RWF_APPEND)
    if not file.is_seekable:
        return io.write(task, file, source, nowait=nowait, append=append)
    return io.pwrite(task, file, source, iocb.offset, nowait=nowait, append=append)
