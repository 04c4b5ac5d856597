"""ioctl(2): the requests that all descriptors share; the rest belongs to the objects."""

from sentry.kernel.io import Outcome
from sentry.kernel.sigio import set_async
from sentry.kernel.task import Task
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import ENOTTY
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_ASYNC, O_NONBLOCK
from syscalls.abi.ioctl import FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD
from syscalls.abi.stat import S_IFMT, S_IFREG, S_IFSOCK
from syscalls.args import Fd, UInt, ULong
from syscalls.fdio.fcntl_owner import SOCKET_REQUESTS
from syscalls.fdio.ioctl_file import REQUESTS
from syscalls.registry import Support, syscall

_NOTE = "what the objects know; FICLONE, FIDEDUPERANGE, FIEMAP and chattr(1)'s flags are EOPNOTSUPP"


@syscall(man="ioctl(2)", support=Support.PARTIAL, note=_NOTE)
def sys_ioctl(task: Task, fd: Fd, op: UInt, argp: ULong) -> Outcome:
    """Run a request of the object behind ``fd``. Errors: EBADF, EFAULT, ENOTTY the object does not know it."""
    file = task.fds.get(fd)
    if op in (FIOCLEX, FIONCLEX):
        task.fds.set_cloexec(fd, value=op == FIOCLEX)
        return 0
    if op == FIONBIO:
        return _set_flag(file, O_NONBLOCK, task.memory.read_u32(argp))
    if op == FIOASYNC:
        is_on = bool(task.memory.read_u32(argp))
        if is_on and not file.has_async:
            raise SyscallError(ENOTTY)
        _set_flag(file, O_ASYNC, is_on)
        set_async(task, file, fd, is_on=is_on)
        return 0
    request = REQUESTS.get(op)
    if request is not None:
        return request(task, file, argp)
    kind = file.inode.attr.mode & S_IFMT
    if op == FIONREAD and kind == S_IFREG:
        return _bytes_left(task, file, argp)
    if kind == S_IFSOCK and op in SOCKET_REQUESTS:
        return SOCKET_REQUESTS[op](task, file, argp)
    return file.ioctl(task, op, argp)


def _set_flag(file: FileDescription, flag: int, value: int) -> int:
    file.flags = file.flags | flag if value else file.flags & ~flag
    file.status_flags_changed()
    return 0


async def _bytes_left(task: Task, file: FileDescription, argp: int) -> int:
    task.memory.write_u32(argp, await file.size() - file.offset & 0xFFFFFFFF)
    return 0
