"""utimensat(2), futimesat(2), utimes(2), utime(2): access and modification times."""

from struct import Struct
from typing import Final

from sentry.kernel.task import Task
from sentry.vfs.namespace import place_of, utimens_at, utimens_place
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from syscalls.abi.stat import UTIME_NOW, UTIME_OMIT
from syscalls.args import Fd, PathPtr, UInt, UserPtr
from syscalls.registry import syscall

Times = tuple[int | None, int | None]

_NS: Final = 1_000_000_000
_TWO_PAIRS: Final = Struct("<qqqq")
_UTIMBUF: Final = Struct("<qq")


@syscall(man="utimensat(2)")
async def sys_utimensat(task: Task, dirfd: Fd, pathname: PathPtr, times: UserPtr, flags: UInt) -> int:
    """Set both times; a NULL path means the descriptor itself. Errors: EINVAL, EACCES, EPERM, EROFS, as path_resolution(7)."""
    wanted: Times | None = None
    if times:
        raw = task.memory.read_struct(_TWO_PAIRS, times)
        if raw[1] == raw[3] == UTIME_OMIT:
            return 0
        now = task.kernel.realtime_ns()
        if not (raw[1] == raw[3] == UTIME_NOW):
            wanted = _one(raw[0], raw[1], now), _one(raw[2], raw[3], now)
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise SyscallError(EINVAL)
    if not pathname and dirfd != AT_FDCWD:
        if flags:
            raise SyscallError(EINVAL)
        await utimens_place(task, place_of(task, task.fds.get(dirfd)), wanted)
        return 0
    await utimens_at(task, dirfd, task.memory.read_path(pathname), wanted, flags)
    return 0


@syscall(man="futimesat(2)")
async def sys_futimesat(task: Task, dirfd: Fd, pathname: PathPtr, times: UserPtr) -> int:
    """The older form, in microseconds."""
    wanted = _microseconds(task, times)
    if not pathname and dirfd != AT_FDCWD:
        await utimens_place(task, place_of(task, task.fds.get(dirfd)), wanted)
        return 0
    await utimens_at(task, dirfd, task.memory.read_path(pathname), wanted, 0)
    return 0


@syscall(man="utime(2)")
async def sys_utimes(task: Task, filename: PathPtr, times: UserPtr) -> int:
    """In microseconds, from the working directory. Errors: EINVAL, EACCES, EPERM."""
    wanted = _microseconds(task, times)
    await utimens_at(task, AT_FDCWD, task.memory.read_path(filename), wanted, 0)
    return 0


@syscall(man="utime(2)")
async def sys_utime(task: Task, filename: PathPtr, times: UserPtr) -> int:
    """In seconds."""
    wanted: Times | None = None
    if times:
        actime, modtime = task.memory.read_struct(_UTIMBUF, times)
        wanted = actime * _NS, modtime * _NS
    await utimens_at(task, AT_FDCWD, task.memory.read_path(filename), wanted, 0)
    return 0


def _one(seconds: int, nanoseconds: int, now: int) -> int | None:
    if nanoseconds == UTIME_OMIT:
        return None
    if nanoseconds == UTIME_NOW:
        return now
    if not 0 <= nanoseconds < _NS:
        raise SyscallError(EINVAL)
    return seconds * _NS + nanoseconds


def _microseconds(task: Task, times: int) -> Times | None:
    if not times:
        return None
    raw = task.memory.read_struct(_TWO_PAIRS, times)
    if not (0 <= raw[1] < 1_000_000 and 0 <= raw[3] < 1_000_000):
        raise SyscallError(EINVAL)
    return raw[0] * _NS + raw[1] * 1000, raw[2] * _NS + raw[3] * 1000
