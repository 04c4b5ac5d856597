"""Output processing of a terminal: OPOST and the column that erasing a tab needs to know (termios(3), "c_oflag")."""

from typing import Final

from sentry.fs.tty.chartype import is_control, to_upper
from sentry.fs.tty.termios import Termios
from syscalls.abi.termios import IUTF8, OCRNL, OLCUC, ONLCR, ONLRET, ONOCR, OPOST, TABDLY, XTABS

_PLAIN: Final = frozenset(range(32, 127))
_NEWLINE, _RETURN, _TAB, _BACKSPACE = 10, 13, 9, 8


class OutputProcessor:
    """Turns what programs write, and what is echoed, into what the terminal's other side gets (``data``)."""

    __slots__ = ("canonical_column", "column", "data", "modes")

    def __init__(self, modes: Termios) -> None:
        self.modes = modes
        self.column = 0
        self.canonical_column = 0
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        """Process ``data``, which fits."""
        if not self.modes.oflag & OPOST:
            self.data += data
            return
        out = self.data
        for char in data:
            if char in _PLAIN and not self.modes.oflag & OLCUC:
                out.append(char)
                self.column += 1
            else:
                self.put(char)

    def put(self, char: int) -> None:  # noqa: C901, PLR0912 - one branch for each mode bit
        """One character with output processing, if that is on (Linux: drivers/tty/n_tty.c, do_output_char())."""
        flags = self.modes.oflag
        if not flags & OPOST:
            self.data.append(char)
            return
        if char == _NEWLINE:
            if flags & ONLRET:
                self.column = 0
            if flags & ONLCR:
                self.canonical_column = self.column = 0
                self.data += b"\r\n"
                return
            self.canonical_column = self.column
        elif char == _RETURN:
            if flags & ONOCR and self.column == 0:
                return
            if flags & OCRNL:
                char = _NEWLINE
                if flags & ONLRET:
                    self.canonical_column = self.column = 0
            else:
                self.canonical_column = self.column = 0
        elif char == _TAB:
            spaces = 8 - (self.column & 7)
            self.column += spaces
            if flags & TABDLY == XTABS:
                self.data += b" " * spaces
                return
        elif char == _BACKSPACE:
            self.column = max(self.column - 1, 0)
        elif not is_control(char):
            if flags & OLCUC:
                char = to_upper(char)
            if not is_continuation(char, self.modes):
                self.column += 1
        self.data.append(char)

    def put_raw(self, data: bytes, *, columns: int = 0) -> None:
        """Characters that no mode changes; the column moves by ``columns``, never below 0."""
        self.data += data
        self.column = max(self.column + columns, 0)


def is_continuation(char: int, modes: Termios) -> bool:
    """Whether ``char`` is a further byte of a UTF-8 sequence."""
    return bool(modes.iflag & IUTF8) and char & 0xC0 == 0x80
