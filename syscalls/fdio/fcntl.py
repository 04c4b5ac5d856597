"""fcntl(2), except record locks (``fcntl_lock``)."""

from collections.abc import Callable

from sentry.fs.pipe.file import PipeFile
from sentry.kernel.io import Outcome
from sentry.kernel.sigio import set_async
from sentry.kernel.task import Task
from sentry.vfs.file import O_PATH, FileDescription
from sentry.vfs.permission import check_owner
from syscalls.abi.capability import CAP_SYS_RESOURCE
from syscalls.abi.errno import EBADF, EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import (
    F_ADD_SEALS,
    F_CREATED_QUERY,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_DUPFD_QUERY,
    F_GET_RW_HINT,
    F_GET_SEALS,
    F_GETFD,
    F_GETFL,
    F_GETLEASE,
    F_GETLK,
    F_GETOWN,
    F_GETOWN_EX,
    F_GETOWNER_UIDS,
    F_GETPIPE_SZ,
    F_GETSIG,
    F_NOTIFY,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_SET_RW_HINT,
    F_SETFD,
    F_SETFL,
    F_SETLEASE,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_SETOWN_EX,
    F_SETPIPE_SZ,
    F_SETSIG,
    FD_CLOEXEC,
    O_APPEND,
    O_ASYNC,
    O_DIRECT,
    O_NOATIME,
    O_NONBLOCK,
)
from syscalls.abi.signal import SIGRTMAX
from syscalls.abi.stat import S_IFIFO, S_IFMT, S_IFREG
from syscalls.args import Fd, UInt, ULong
from syscalls.fdio.fcntl_lease import get_lease, set_lease_command
from syscalls.fdio.fcntl_lock import record_lock
from syscalls.fdio.fcntl_notify import notify
from syscalls.fdio.fcntl_owner import getown, getown_ex, getowner_uids, setown, setown_ex
from syscalls.registry import Support, syscall

_CHANGEABLE = O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME
_FOR_O_PATH = (F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_QUERY, F_CREATED_QUERY)
_RW_HINT_MAX = 5  # RWH_WRITE_LIFE_EXTREME
_LOCKS = (F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW)
_NOTE = "a lease is not broken by what others do to a volume outside the sandbox"

Command = Callable[[Task, FileDescription, int, int], int]


@syscall(man="fcntl(2)", support=Support.PARTIAL, note=_NOTE)
def sys_fcntl(task: Task, fd: Fd, op: UInt, arg: ULong) -> Outcome:
    """Inspect or change a descriptor or its description. Errors: EBADF, EINVAL unknown operation, and per operation."""
    file = task.fds.get_any(fd)
    if file.flags & O_PATH and op not in _FOR_O_PATH:
        raise SyscallError(EBADF)
    command = _COMMANDS.get(op)
    if command is not None:
        return command(task, file, fd, arg)
    if op in _LOCKS:
        return record_lock(task, file, op, arg)
    raise SyscallError(EINVAL)


def _i32(arg: int) -> int:
    arg &= 0xFFFFFFFF
    return arg - (arg >> 31 << 32)


def _dupfd(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    task.fds.check_number(arg & 0xFFFFFFFF)
    return task.fds.install(file, minimum=arg & 0xFFFFFFFF)


def _dupfd_cloexec(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    task.fds.check_number(arg & 0xFFFFFFFF)
    return task.fds.install(file, minimum=arg & 0xFFFFFFFF, cloexec=True)


def _dupfd_query(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    """Whether ``arg`` is a descriptor of the same description. Errors: EBADF."""
    return int(task.fds.get_any(_i32(arg)) is file)


def _created_query(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    return int(file.is_created)


def _get_rw_hint(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    task.memory.write_u64(arg, file.inode.write_hint)
    return 0


def _set_rw_hint(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    """How long what is written will live: remembered, as a file system without such a notion does. Errors: EPERM, EINVAL."""
    check_owner(task.credentials, file.inode.attr)
    hint = task.memory.read_u64(arg)
    if hint > _RW_HINT_MAX:
        raise SyscallError(EINVAL)
    file.inode.write_hint = hint
    return 0


def _getfd(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    return FD_CLOEXEC if task.fds.is_cloexec(fd) else 0


def _setfd(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    task.fds.set_cloexec(fd, value=bool(arg & FD_CLOEXEC))
    return 0


def _getfl(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    return file.flags


def _setfl(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    if arg & O_NOATIME and not file.flags & O_NOATIME and task.credentials.fsuid not in (0, file.inode.attr.uid):
        raise SyscallError(EPERM)
    if arg & O_DIRECT and file.inode.attr.mode & S_IFMT not in (S_IFREG, S_IFIFO):
        raise SyscallError(EINVAL)
    file.flags = file.flags & ~_CHANGEABLE | arg & _CHANGEABLE
    set_async(task, file, fd, is_on=bool(arg & O_ASYNC))
    file.status_flags_changed()
    return 0


def _getsig(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    return file.owner_signal


def _setsig(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    if arg > SIGRTMAX:
        raise SyscallError(EINVAL)
    file.owner_signal = arg
    return 0


def _pipe(file: FileDescription) -> PipeFile:
    if not isinstance(file, PipeFile):
        raise SyscallError(EBADF)
    return file


def _getpipe_sz(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    return _pipe(file).pipe_size()


def _setpipe_sz(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    pipe = _pipe(file).pipe
    limit = task.kernel.limits.pipe_size_max
    return pipe.resize(arg & 0xFFFFFFFF, limit, is_privileged=task.credentials.has(CAP_SYS_RESOURCE))


def _add_seals(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    file.add_seals(arg & 0xFFFFFFFF)
    return 0


def _get_seals(task: Task, file: FileDescription, fd: int, arg: int) -> int:
    return file.seals()


_COMMANDS: dict[int, Command] = {
    F_DUPFD: _dupfd,
    F_DUPFD_CLOEXEC: _dupfd_cloexec,
    F_DUPFD_QUERY: _dupfd_query,
    F_CREATED_QUERY: _created_query,
    F_GET_RW_HINT: _get_rw_hint,
    F_SET_RW_HINT: _set_rw_hint,
    F_GETFD: _getfd,
    F_SETFD: _setfd,
    F_GETFL: _getfl,
    F_SETFL: _setfl,
    F_GETOWN: getown,
    F_SETOWN: setown,
    F_GETOWN_EX: getown_ex,
    F_SETOWN_EX: setown_ex,
    F_GETOWNER_UIDS: getowner_uids,
    F_GETSIG: _getsig,
    F_SETSIG: _setsig,
    F_GETLEASE: get_lease,
    F_SETLEASE: set_lease_command,
    F_NOTIFY: notify,
    F_GETPIPE_SZ: _getpipe_sz,
    F_SETPIPE_SZ: _setpipe_sz,
    F_ADD_SEALS: _add_seals,
    F_GET_SEALS: _get_seals,
}
