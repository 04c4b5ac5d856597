"""Host processes seen from the sentry: whether a number is still taken, and pidfds."""

import os

from syscalls.abi.errno import ECHILD, ENFILE
from syscalls.abi.errors import SyscallError


def exists(host_pid: int) -> bool:
    """Whether ``host_pid`` is a process or a zombie (kill(2) with signal 0)."""
    try:
        os.kill(host_pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def open_pidfd(host_pid: int) -> int:
    """A pidfd of a process or zombie. Errors: ECHILD when it is gone, ENFILE."""
    try:
        return os.pidfd_open(host_pid)
    except ProcessLookupError as error:
        raise SyscallError(ECHILD) from error
    except OSError as error:
        raise SyscallError(ENFILE) from error


def close_pidfd(fd: int) -> None:
    """Close it."""
    os.close(fd)
