"""Landlock: nothing of the host but what lies beneath the exported trees, and of that not what is hidden.

Spec: landlock(7). A read-only tree grants reading files and folders; a writable one also what the protocol can change, which
excludes making devices and sockets. Executing, TCP, abstract sockets and signals are handled and never granted.
"""

import os

from gofer._sys._native import lib
from gofer.server.policy import TreePolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gofer.server.policy import Veils

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_REMOVE, _MAKE_CHAR, _MAKE_DIR, _MAKE_REG, _MAKE_SOCK = 16 | 32, 64, 128, 256, 512
_MAKE_FIFO, _MAKE_BLOCK, _MAKE_SYM, _REFER, _TRUNCATE, _IOCTL_DEV = 1024, 2048, 4096, 8192, 16384, 32768
_HANDLED_BY_ABI = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
_READ = _READ_FILE | _READ_DIR
_WRITE = _WRITE_FILE | _REMOVE | _MAKE_DIR | _MAKE_REG | _MAKE_FIFO | _MAKE_SOCK | _MAKE_SYM | _REFER | _TRUNCATE
_FILE_ONLY = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV


def enforce(policies: "list[TreePolicy]") -> int:
    """Restrict this process; returns the ABI in force, 0 where the kernel has none. Precondition: no_new_privs is set."""
    abi = lib.gofer_landlock_abi()
    if abi < 1 or (abi < 2 and any(policy.is_writable for policy in policies)):  # ABI 1 forbids every move between folders
        return 0
    handled = _HANDLED_BY_ABI[min(abi, 5)]
    ruleset = lib.gofer_landlock_create(handled, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    if ruleset < 0:
        return 0
    try:
        for policy in policies:
            access = (_READ | _WRITE if policy.is_writable else _READ) & handled
            if policy.only:
                _allow_file(ruleset, policy.root_fd, policy.only, access)
            else:
                _allow_but_hidden(ruleset, policy.root_fd, policy.veils, access)
        error = lib.gofer_landlock_enforce(ruleset)
        if error < 0:
            raise OSError(-error, "landlock")
    finally:
        os.close(ruleset)
    return int(abi)


def _allow_but_hidden(ruleset: int, fd: int, veils: "Veils | None", access: int) -> None:
    """Grant ``access`` beneath ``fd`` except below hidden names: there, each visible sibling is granted by itself."""
    if not veils:
        _allow(ruleset, fd, access)
        return
    _allow(ruleset, fd, access & ~_FILE_ONLY)  # so that the folder itself can be listed; no file's data
    readable = lib.gofer_open_directory(fd)
    if readable < 0:
        return  # what cannot be listed needs no grant
    try:
        names = [os.fsencode(name) for name in os.listdir(readable)]
    finally:
        os.close(readable)
    for name in names:
        below = veils.get(name)
        if below == {}:
            continue
        try:
            child = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
        except OSError:
            continue  # what cannot be reached needs no grant
        try:
            kind = os.fstat(child).st_mode & 0o170000
            if kind == 0o040000:
                if below:
                    _allow_but_hidden(ruleset, child, below, access)
                else:
                    _allow(ruleset, child, access)
            elif kind == 0o100000:
                _allow(ruleset, child, access & _FILE_ONLY)
        finally:
            os.close(child)


def _allow_file(ruleset: int, fd: int, name: bytes, access: int) -> None:
    """Grant the data of one file of a folder."""
    child = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
    try:
        if os.fstat(child).st_mode & 0o170000 == 0o100000:
            _allow(ruleset, child, access & _FILE_ONLY)
    finally:
        os.close(child)


def _allow(ruleset: int, fd: int, access: int) -> None:
    error = lib.gofer_landlock_allow(ruleset, fd, access)
    if error < 0:
        raise OSError(-error, "landlock rule")
