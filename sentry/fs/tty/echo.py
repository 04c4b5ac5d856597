"""Echo: what typed characters show. Operations wait here while output is stopped (termios(3), "ECHO" to "ECHOKE")."""

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Final

from sentry.fs.tty.chartype import is_control
from syscalls.abi.termios import ECHOCTL

if TYPE_CHECKING:
    from sentry.fs.tty.output import OutputProcessor

_PENDING_MAX: Final = 4096
_TAB: Final = 9
#: the one character that Linux echoes without output processing
_RAW: Final = 0xFF


class Op(Enum):
    """What an entry of the queue is."""

    PLAIN = 1  # a character with output processing
    CARET = 2  # a control character in ^X notation
    ERASE_TAB = 3
    SET_COLUMN = 4  # remember where the input line begins
    BACK = 5  # one column back, nothing shown


class Echo:
    """The queue; ``flush`` performs it."""

    __slots__ = ("_output", "_pending")

    def __init__(self, output: "OutputProcessor") -> None:
        self._output = output
        self._pending: deque[tuple[Op, int]] = deque(maxlen=_PENDING_MAX)

    def __len__(self) -> int:
        return len(self._pending)

    def char(self, char: int) -> None:
        """A character as ECHOCTL shows it."""
        if self._output.modes.lflag & ECHOCTL and is_control(char) and char != _TAB:
            self._pending.append((Op.CARET, char))
        else:
            self._pending.append((Op.PLAIN, char))

    def raw(self, data: bytes) -> None:
        """Characters as they are."""
        self._pending.extend((Op.PLAIN, char) for char in data)

    def erase_tab(self, columns: int, *, is_after_tab: bool) -> None:
        """Step back over a tab that stood ``columns`` after the line's beginning, or after the tab before it."""
        self._pending.append((Op.ERASE_TAB, columns & 7 | (0x80 if is_after_tab else 0)))

    def set_column(self) -> None:
        """The input line begins at the column where the output is now."""
        self._pending.append((Op.SET_COLUMN, 0))

    def back(self) -> None:
        """The last byte took no column of its own."""
        self._pending.append((Op.BACK, 0))

    def clear(self) -> None:
        """Forget what has not been shown."""
        self._pending.clear()

    def flush(self) -> None:
        """Show everything."""
        output, pending = self._output, self._pending
        while pending:
            op, value = pending.popleft()
            if op is Op.PLAIN:
                if value == _RAW:
                    output.put_raw(b"\xff", columns=1)
                else:
                    output.put(value)
            elif op is Op.CARET:
                output.put_raw(bytes((94, value ^ 0o100)), columns=2)
            elif op is Op.ERASE_TAB:
                columns = value if value & 0x80 else value + output.canonical_column
                count = 8 - (columns & 7)
                output.put_raw(b"\b" * count, columns=-count)
            elif op is Op.SET_COLUMN:
                output.canonical_column = output.column
            else:
                output.column = max(output.column - 1, 0)
