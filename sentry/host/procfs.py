"""The host's /proc, read for the sandbox's own threads only: maps, times, masks. What is read here is never shown as it is.

A descriptor of /proc is opened once, before the sentry is confined; a thread that is gone reads as None.
"""

import os
from typing import Final

from syscalls.abi.errno import EACCES, EIO, ENOENT, EPERM, ESRCH
from syscalls.abi.errors import SyscallError

_CHUNK: Final = 1 << 16
_READ_MAX: Final = 64 << 20
_proc_fds: list[int] = []


def prepare() -> None:
    """Open /proc while it can be opened; called by boot. Idempotent. Errors: EIO."""
    if not _proc_fds:
        try:
            _proc_fds.append(os.open("/proc", os.O_DIRECTORY | os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            raise SyscallError(EIO) from error


def read_thread(host_tid: int, name: str) -> bytes | None:
    """The file ``name`` of /proc/TID; None when the thread is gone. Errors: EACCES when the host keeps it to itself, EIO."""
    return _read(f"{host_tid}/{name}")


def read_thread_at(host_tid: int, name: str, offset: int, length: int) -> bytes | None:
    """Up to ``length`` bytes at ``offset`` of a file of /proc/TID; None when the thread is gone. Errors: EACCES, EIO."""
    fd = _open(f"{host_tid}/{name}")
    if fd is None:
        return None
    try:
        return os.pread(fd, length, offset)
    except OSError as error:
        _raise_unless_gone(error)
        return None
    finally:
        os.close(fd)


def read(name: str) -> bytes | None:
    """A file at the top of /proc, None if the host has none. Errors: EACCES, EIO."""
    return _read(name)


def processors() -> list[int]:
    """The numbers of the processors that the sandbox may use, in order."""
    return sorted(os.sched_getaffinity(0))


def _open(path: str) -> int | None:
    prepare()
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=_proc_fds[0])
    except OSError as error:
        _raise_unless_gone(error)
        return None


def _read(path: str) -> bytes | None:
    fd = _open(path)
    if fd is None:
        return None
    try:
        parts = []
        total = 0
        while total < _READ_MAX:
            part = os.read(fd, _CHUNK)
            if not part:
                break
            parts.append(part)
            total += len(part)
        return b"".join(parts)
    except OSError as error:
        _raise_unless_gone(error)
        return None
    finally:
        os.close(fd)


def _raise_unless_gone(error: OSError) -> None:
    if error.errno in (ENOENT, ESRCH):
        return
    raise SyscallError(EACCES if error.errno in (EACCES, EPERM) else EIO) from error
