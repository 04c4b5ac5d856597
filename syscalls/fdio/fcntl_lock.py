"""fcntl(2), record locks: F_SETLK and its kin, open-file-description locks too."""

from typing import Final

from sentry.kernel.io import Outcome
from sentry.kernel.task import Task
from sentry.vfs.file import FileDescription
from sentry.vfs.lock import END, Record, locks_of, wait_record
from syscalls.abi.errno import EAGAIN, EBADF, EINVAL, EOVERFLOW
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import (
    F_GETLK,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_RDLCK,
    F_SETLKW,
    F_UNLCK,
    F_WRLCK,
    FLOCK,
    SEEK_CUR,
    SEEK_END,
    SEEK_SET,
)

_OFD: Final = (F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW)


def record_lock(task: Task, file: FileDescription, op: int, arg: int) -> Outcome:
    """Test, set or wait for the lock of struct flock at ``arg``. Errors: EINVAL, EBADF, EAGAIN, EDEADLK, EOVERFLOW, EFAULT."""
    kind, whence, start, length, pid = task.memory.read_struct(FLOCK, arg)
    is_ofd = op in _OFD
    if kind not in (F_RDLCK, F_WRLCK, F_UNLCK) or (is_ofd and pid):
        raise SyscallError(EINVAL)
    is_test = op in (F_GETLK, F_OFD_GETLK)
    if not is_test and ((kind == F_RDLCK and not file.is_readable) or (kind == F_WRLCK and not file.is_writable)):
        raise SyscallError(EBADF)
    if whence == SEEK_END:
        return _from_end(task, file, op, arg, kind, start, length)
    if whence not in (SEEK_SET, SEEK_CUR):
        raise SyscallError(EINVAL)
    return _carry_out(task, file, op, arg, kind, start + (file.offset if whence == SEEK_CUR else 0), length)


async def _from_end(task: Task, file: FileDescription, op: int, arg: int, kind: int, start: int, length: int) -> int:
    outcome = _carry_out(task, file, op, arg, kind, start + await file.size(), length)
    return outcome if isinstance(outcome, int) else await outcome


def _carry_out(task: Task, file: FileDescription, op: int, arg: int, kind: int, start: int, length: int) -> Outcome:
    if length < 0:
        start, length = start + length, -length
    if start < 0:
        raise SyscallError(EINVAL)
    end = start + length - 1 if length else END
    if end > END:
        raise SyscallError(EOVERFLOW)
    is_ofd = op in _OFD
    wanted = Record(start, end, kind, file if is_ofd else task.fds, -1 if is_ofd else task.group.tgid)
    locks = locks_of(file.inode)
    if op in (F_GETLK, F_OFD_GETLK):
        if kind == F_UNLCK:
            raise SyscallError(EINVAL)
        found = locks.find_conflict(wanted)
        if found is None:
            task.memory.write(arg, F_UNLCK.to_bytes(2, "little"))
        else:
            size = 0 if found.end == END else found.end - found.start + 1
            task.memory.write(arg, FLOCK.pack(found.kind, SEEK_SET, found.start, size, found.pid))
        return 0
    if is_ofd:
        file.lock_owner = file
    if locks.try_record(wanted):
        return 0
    if op not in (F_SETLKW, F_OFD_SETLKW):
        raise SyscallError(EAGAIN)
    return _wait(task, file, wanted)


async def _wait(task: Task, file: FileDescription, wanted: Record) -> int:
    await wait_record(task, file, wanted)
    return 0
