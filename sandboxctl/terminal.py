"""The caller's terminal: raw while the guest has it, restored whatever happens."""

import contextlib
import os
import termios
import tty
from collections.abc import Iterator


def is_terminal(fd: int) -> bool:
    """Whether ``fd`` is open and a terminal."""
    try:
        return os.isatty(fd)
    except OSError:
        return False


def size(fd: int) -> tuple[int, int]:
    """Return (rows, columns), (0, 0) if there is no terminal."""
    try:
        found = os.get_terminal_size(fd)
    except OSError:
        return 0, 0
    return found.lines, found.columns


@contextlib.contextmanager
def raw(fd: int) -> Iterator[None]:
    """Give every key to the guest: no echo, no signals, no line editing while the block runs."""
    try:
        before = termios.tcgetattr(fd)
    except termios.error:
        yield
        return
    try:
        tty.setraw(fd, termios.TCSADRAIN)
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal may be gone by now
            termios.tcsetattr(fd, termios.TCSADRAIN, before)
