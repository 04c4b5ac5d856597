"""A program on a pseudo-terminal of its own, seen through a terminal emulator (pyte, an emulator of TERM=linux)."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Sequence
from typing import Self

import pyte

#: how long a screen may take to show what is waited for; only a failure ever takes this long
PATIENCE_S = 90.0
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
    "HOME": "/tmp",
    "TERM": "linux",
    "LANG": "C.UTF-8",
    "PS1": "$ ",
    "TZ": "UTC",
    "LESS": "",
    "HISTFILE": "",
}


class Stuck(Exception):
    """The screen never showed what was waited for; the text holds the screens."""


class Screen:
    """One program and what a person would see of it."""

    def __init__(self, argv: Sequence[str], *, rows: int = 24, columns: int = 80, cwd: str = "/") -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.is_over = False
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd)
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
                os.execvpe(argv[0], list(argv), ENVIRONMENT)
            finally:
                os._exit(127)
        self.resize(rows, columns)

    @property
    def rows(self) -> list[str]:
        """Its lines without the blanks at their ends."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor."""
        return self._screen.cursor.y, self._screen.cursor.x

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.rows)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._fd, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        """Change the window as a person does with the mouse."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def take(self, timeout_s: float) -> None:
        """Show what the program writes within ``timeout_s``, or nothing."""
        if self.is_over or not select.select([self._fd], [], [], timeout_s)[0]:
            return
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # EIO: nobody has the terminal open any more
            data = b""
        self.is_over = not data
        self._stream.feed(data)

    def end_status(self) -> int:
        """Return the exit code after the program's end."""
        wait_for([self], lambda screen: screen.is_over)
        pid, self.pid = self.pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def close(self) -> None:
        """End it."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def wait_for(
    screens: Sequence[Screen], wanted: Callable[[Screen], bool], equal: Callable[[Screen], object] | None = None
) -> None:
    """Wait until every screen is as ``wanted`` and, if ``equal`` is given, all look the same through it. Raises Stuck."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        if all(map(wanted, screens)) and (equal is None or all(equal(one) == equal(screens[0]) for one in screens)):
            return
        if time.monotonic() > deadline:
            raise Stuck("\n".join(f"--- {one.cursor} {'ended' if one.is_over else ''}\n{one.text}" for one in screens))
        for one in screens:
            one.take(0.01)
