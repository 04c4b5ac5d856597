"""Loads the compiled filter into this process."""

import os
from errno import ENOSYS

from gofer._sys._native import lib


def program_path(*, is_writable: bool) -> str:
    """The BPF program for this machine."""
    return f"{__file__.rpartition('/')[0]}/{'rw' if is_writable else 'ro'}.{os.uname().machine}.bpf"


def load_network() -> bytes:
    """Read the program of the network gofer. Raises OSError."""
    with open(f"{__file__.rpartition('/')[0]}/net.{os.uname().machine}.bpf", "rb", buffering=0) as file:
        return file.read()


def load(*, is_writable: bool) -> bytes:
    """Read the program. Raises OSError. To be called before the root is gone."""
    with open(program_path(is_writable=is_writable), "rb", buffering=0) as file:
        program = file.read()
    if not program:
        raise OSError(ENOSYS, "empty filter")
    return program


def install(program: bytes) -> None:
    """Enter the allow-list filter for good. Raises OSError. Precondition: no_new_privs is set."""
    error = lib.gofer_seccomp(program, len(program))
    if error < 0:
        raise OSError(-error, "seccomp filter refused")
