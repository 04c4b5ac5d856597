"""Echo: what typed characters show. Operations wait here while output is stopped (termios(3), "ECHO" to "ECHOKE")."""

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from sentry.fs.tty.chartype import is_control
from syscalls.abi.termios import ECHOCTL

if TYPE_CHECKING:
    from sentry.fs.tty.output import OutputProcessor

_PENDING_MAX: Final = 4096
_TAB: Final = 9
#: the one character that Linux echoes without output processing
_RAW: Final = 0xFF


class Op(IntEnum):
    """What an entry of the queue is."""

    PLAIN = 1  # a character with output processing
    CARET = 2  # a control character in ^X notation
    ERASE_TAB = 3
    SET_COLUMN = 4  # remember where the input line begins
    BACK = 5  # one column back, nothing shown


class Echo:
    """The queue, two bytes for each operation; ``flush`` performs it. The oldest are lost if too many wait."""

    __slots__ = ("_output", "_pending")

    def __init__(self, output: "OutputProcessor") -> None:
        self._output = output
        self._pending = bytearray()

    def __len__(self) -> int:
        return len(self._pending) // 2

    def _add(self, op: Op, value: int = 0) -> None:
        self._pending += bytes((op, value))
        if len(self._pending) > 2 * _PENDING_MAX:
            del self._pending[:2]

    def char(self, char: int) -> None:
        """A character as ECHOCTL shows it."""
        is_caret = self._output.modes.lflag & ECHOCTL and is_control(char) and char != _TAB
        self._add(Op.CARET if is_caret else Op.PLAIN, char)

    def raw(self, data: bytes) -> None:
        """Characters as they are."""
        for char in data:
            self._add(Op.PLAIN, char)

    def erase_tab(self, columns: int, *, is_after_tab: bool) -> None:
        """Step back over a tab that stood ``columns`` after the line's beginning, or after the tab before it."""
        self._add(Op.ERASE_TAB, columns & 7 | (0x80 if is_after_tab else 0))

    def set_column(self) -> None:
        """The input line begins at the column where the output is now."""
        self._add(Op.SET_COLUMN)

    def back(self) -> None:
        """The last byte took no column of its own."""
        self._add(Op.BACK)

    def clear(self) -> None:
        """Forget what has not been shown."""
        self._pending.clear()

    def flush(self) -> None:
        """Show everything."""
        output = self._output
        pending = bytes(self._pending)
        self._pending.clear()
        for op, value in zip(pending[::2], pending[1::2], strict=True):
            if op == Op.PLAIN:
                if value == _RAW:
                    output.put_raw(b"\xff", columns=1)
                else:
                    output.put(value)
            elif op == Op.CARET:
                output.put_raw(bytes((94, value ^ 0o100)), columns=2)
            elif op == Op.ERASE_TAB:
                columns = value if value & 0x80 else value + output.canonical_column
                count = 8 - (columns & 7)
                output.put_raw(b"\b" * count, columns=-count)
            elif op == Op.SET_COLUMN:
                output.canonical_column = output.column
            else:
                output.column = max(output.column - 1, 0)
