"""fcntl(2), record locks: F_SETLK and its kin, open-file-description locks too."""

from sentry.kernel.io import OFFSET_MAX, Outcome
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

_OFD = (F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW)
_OFD_PID = -1


def record_lock(task: Task, file: FileDescription, op: int, arg: int) -> Outcome:
    """Test, set or wait for the lock of struct flock at ``arg``.

    Errors: EFAULT, EINVAL no such type, place or pid; EBADF the access mode forbids it; EAGAIN held; EDEADLK; ENOLCK; EOVERFLOW.
    """
    kind, whence, start, length, pid = task.memory.read_struct(FLOCK, arg)
    if whence == SEEK_END:
        return _from_end(task, file, op, arg, (kind, start, length), pid)
    if whence not in (SEEK_SET, SEEK_CUR):
        raise SyscallError(EINVAL)
    base = file.offset if whence == SEEK_CUR else 0
    return _act(task, file, op, arg, _record(task, file, op, base, (kind, start, length)), pid)


async def _from_end(task: Task, file: FileDescription, op: int, arg: int, lock: tuple[int, int, int], pid: int) -> int:
    record = _record(task, file, op, await file.size(), lock)
    outcome = _act(task, file, op, arg, record, pid)
    return outcome if isinstance(outcome, int) else await outcome


def _record(task: Task, file: FileDescription, op: int, base: int, lock: tuple[int, int, int]) -> Record:
    kind, start, length = lock
    start += base
    if start > OFFSET_MAX:
        raise SyscallError(EOVERFLOW)
    end = start + length - 1 if length > 0 else END
    if length < 0:
        start, end = start + length, start - 1
    if start < 0:
        raise SyscallError(EINVAL)
    if end > END:
        raise SyscallError(EOVERFLOW)
    if kind not in (F_RDLCK, F_WRLCK, F_UNLCK) or (kind == F_UNLCK and op == F_GETLK):
        raise SyscallError(EINVAL)
    is_ofd = op in _OFD
    return Record(start, end, kind, file if is_ofd else task.fds, _OFD_PID if is_ofd else task.group.tgid)


def _act(task: Task, file: FileDescription, op: int, arg: int, wanted: Record, pid: int) -> Outcome:
    is_test = op in (F_GETLK, F_OFD_GETLK)
    if not is_test and ((wanted.kind == F_RDLCK and not file.is_readable) or (wanted.kind == F_WRLCK and not file.is_writable)):
        raise SyscallError(EBADF)
    if pid and op in _OFD:
        raise SyscallError(EINVAL)
    if is_test:
        return _test(task, file, arg, wanted)
    if wanted.owner is file:
        file.lock_owner = file  # its last close gives the lock back
    if locks_of(file.inode).try_record(wanted):
        return 0
    if op not in (F_SETLKW, F_OFD_SETLKW):
        raise SyscallError(EAGAIN)
    return _wait(task, file, wanted)


def _test(task: Task, file: FileDescription, arg: int, wanted: Record) -> int:
    locks = locks_of(file.inode)
    # F_OFD_GETLK with F_UNLCK asks for what this very description has (Linux 6.7).
    found = locks.find_own(wanted) if wanted.kind == F_UNLCK else locks.find_conflict(wanted)
    if found is None:
        task.memory.write(arg, F_UNLCK.to_bytes(2, "little"))  # the rest stays as it is
    else:
        length = 0 if found.end == END else found.end - found.start + 1
        task.memory.write(arg, FLOCK.pack(found.kind, SEEK_SET, found.start, length, found.pid))
    return 0


async def _wait(task: Task, file: FileDescription, wanted: Record) -> int:
    await wait_record(task, file, wanted)
    return 0
