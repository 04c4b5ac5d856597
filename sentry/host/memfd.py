"""Host memfds whose seals the host kernel keeps: it alone knows whether somebody still has a writable mapping."""

import os
from fcntl import fcntl

from sentry.host.regular_file import HostFd
from syscalls.abi.errno import EBUSY, EIO, ENFILE
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import F_ADD_SEALS


def sealable_memfd() -> HostFd:
    """An empty file in memory that takes seals. Errors: ENFILE."""
    try:
        return HostFd(os.memfd_create("memfd", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
    except OSError as error:
        raise SyscallError(ENFILE) from error


def add_seals(fd: HostFd, seals: int) -> None:
    """fcntl(F_ADD_SEALS). Errors: EBUSY a writable shared mapping exists; EIO."""
    try:
        fcntl(fd, F_ADD_SEALS, seals)
    except OSError as error:
        raise SyscallError(EBUSY if error.errno == EBUSY else EIO) from error
