"""Host files that keep the contents of guest files: memfds, or unlinked files in a directory of the caller.

Every function raises SyscallError; a host error that says nothing to a guest becomes EIO. EINTR is retried by Python itself.
"""

import os
from typing import Final, NewType

from syscalls.abi import errno as errnos
from syscalls.abi.errors import SyscallError

HostFd = NewType("HostFd", int)

_FALLOC_KEEP_SIZE: Final = 1
_FALLOC_PUNCH_HOLE: Final = 2
_COPY_CHUNK: Final = 1 << 20
# host errors that mean the same to the guest
_SAME: Final = frozenset((errnos.ENOSPC, errnos.EFBIG, errnos.ENOMEM, errnos.ENXIO, errnos.EINVAL, errnos.EDQUOT))
_proc_fds: list[int] = []


def _translate(error: OSError) -> SyscallError:
    number = error.errno or errnos.EIO
    if number in (errnos.EMFILE, errnos.ENFILE):
        return SyscallError(errnos.ENFILE)
    if number == errnos.EDQUOT:
        return SyscallError(errnos.ENOSPC)
    return SyscallError(number if number in _SAME else errnos.EIO)


def memfd(name: str) -> HostFd:
    """An empty file in memory. Errors: ENFILE, ENOMEM."""
    try:
        return HostFd(os.memfd_create(name, os.MFD_CLOEXEC))
    except OSError as error:
        raise _translate(error) from error


def unlinked_file(directory: int) -> HostFd:
    """An empty file without a name below ``directory``. Errors: ENFILE, ENOSPC, EIO."""
    try:
        return HostFd(os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=directory))
    except OSError as error:
        if error.errno not in (errnos.EOPNOTSUPP, errnos.EISDIR, errnos.EINVAL):
            raise _translate(error) from error
    name = f".sandboxctl-{os.getpid()}-{os.urandom(8).hex()}"
    try:
        fd = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=directory)
        os.unlink(name, dir_fd=directory)
    except OSError as error:
        raise _translate(error) from error
    return HostFd(fd)


def open_directory(path: bytes) -> HostFd:
    """A directory of the caller for ``unlinked_file``. Errors: ENOENT, ENOTDIR, EACCES as the host says."""
    try:
        return HostFd(os.open(path, os.O_DIRECTORY | os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise SyscallError(error.errno or errnos.EIO) from error


def prepare_reopen() -> None:
    """Open /proc/self/fd while there is a /proc; ``reopen_read_only`` needs it. Called by boot before the sentry is jailed."""
    if not _proc_fds:
        try:
            _proc_fds.append(os.open("/proc/self/fd", os.O_DIRECTORY | os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            raise _translate(error) from error


def reopen_read_only(fd: HostFd) -> HostFd:
    """A second, read-only description of the same file: what a guest without write rights may map. Errors: EIO, ENFILE."""
    prepare_reopen()
    try:
        return HostFd(os.open(str(fd), os.O_RDONLY | os.O_CLOEXEC, dir_fd=_proc_fds[0]))
    except OSError as error:
        raise _translate(error) from error


def duplicate(fd: int) -> HostFd:
    """A second number for the same description: it stays while the first may be closed for room. Errors: ENFILE."""
    try:
        return HostFd(os.dup(fd))
    except OSError as error:
        raise _translate(error) from error


def close(fd: HostFd) -> None:
    """close(2); nothing useful can be done about an error."""
    try:
        os.close(fd)
    except OSError as error:
        if error.errno == errnos.EBADF:
            raise


def pread(fd: HostFd, length: int, offset: int) -> bytes:
    """pread(2)."""
    try:
        return os.pread(fd, length, offset)
    except OSError as error:
        raise _translate(error) from error


def pwrite(fd: HostFd, data: bytes | bytearray | memoryview, offset: int) -> int:
    """pwrite(2)."""
    try:
        return os.pwrite(fd, data, offset)
    except OSError as error:
        raise _translate(error) from error


def pwrite_all(fd: HostFd, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Write all of ``data``. Errors: ENOSPC, EIO."""
    view = memoryview(data)
    while view:
        count = pwrite(fd, view, offset)
        view, offset = view[count:], offset + count


def truncate(fd: HostFd, size: int) -> None:
    """ftruncate(2)."""
    try:
        os.ftruncate(fd, size)
    except OSError as error:
        raise _translate(error) from error


def size(fd: HostFd) -> int:
    """st_size."""
    try:
        return os.fstat(fd).st_size
    except OSError as error:
        raise _translate(error) from error


def identity(fd: int) -> tuple[int, int]:
    """Device and inode number on the host; they never reach a guest."""
    try:
        found = os.fstat(fd)
    except OSError as error:
        raise _translate(error) from error
    return found.st_dev, found.st_ino


def allocated(fd: HostFd) -> int:
    """Bytes that the file really occupies (st_blocks)."""
    try:
        return os.fstat(fd).st_blocks * 512
    except OSError as error:
        raise _translate(error) from error


def allocate(fd: HostFd, offset: int, length: int) -> None:
    """Reserve a range; the size stays. Where fallocate(2) cannot be had nothing is reserved. Errors: ENOSPC, EFBIG."""
    error = _fallocate(fd, _FALLOC_KEEP_SIZE, offset, length)
    if error in (errnos.ENOSPC, errnos.EFBIG):
        raise SyscallError(error)


def punch(fd: HostFd, offset: int, length: int) -> None:
    """Make a hole: the range reads as zeros and its memory is free. The size stays. Errors: EIO."""
    if _fallocate(fd, _FALLOC_KEEP_SIZE | _FALLOC_PUNCH_HOLE, offset, length) == 0:
        return
    end = min(offset + length, size(fd))
    zeros = bytes(max(0, min(_COPY_CHUNK, end - offset)))
    while offset < end:
        offset += pwrite(fd, zeros[: end - offset], offset)


def _fallocate(fd: int, mode: int, offset: int, length: int) -> int:
    """fallocate(2), which the os module lacks; returns 0 or the errno, ENOSYS where ctypes cannot be had."""
    try:
        from ctypes import CDLL, c_int, c_int64, get_errno  # seldom needed, and not cheap to import

        function = CDLL(None, use_errno=True).fallocate
    except (ImportError, OSError):
        return errnos.ENOSYS
    function.argtypes = (c_int, c_int, c_int64, c_int64)
    function.restype = c_int
    return 0 if function(fd, mode, offset, length) == 0 else get_errno()


def seek_data(fd: HostFd, offset: int, *, hole: bool) -> int:
    """SEEK_DATA or SEEK_HOLE without disturbing anybody: the offset of these descriptors means nothing. Errors: ENXIO."""
    try:
        return os.lseek(fd, offset, os.SEEK_HOLE if hole else os.SEEK_DATA)
    except OSError as error:
        raise _translate(error) from error


def copy(source: int, target: HostFd, length: int) -> int:
    """Copy the first ``length`` bytes within the host kernel; returns how many there were. Errors: ENOSPC, EIO."""
    done = 0
    try:
        while done < length:
            try:
                count = os.copy_file_range(source, target, length - done, done, done)
            except OSError as error:
                if error.errno not in (errnos.EXDEV, errnos.EINVAL, errnos.ENOSYS, errnos.EOPNOTSUPP, errnos.EBADF, errnos.EPERM):
                    raise
                count = _copy_chunk(source, target, min(_COPY_CHUNK, length - done), done)
            if not count:
                break
            done += count
    except OSError as error:
        raise _translate(error) from error
    return done


def _copy_chunk(source: int, target: int, length: int, offset: int) -> int:
    data = os.pread(source, length, offset)
    done = 0
    while done < len(data):
        done += os.pwrite(target, memoryview(data)[done:], offset + done)
    return done


def sync(fd: HostFd) -> None:
    """fsync(2)."""
    try:
        os.fsync(fd)
    except OSError as error:
        raise _translate(error) from error
