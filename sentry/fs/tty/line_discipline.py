"""N_TTY, the line discipline: what happens between what is typed and what is read (termios(3), n_tty of Linux by observation).

No I/O in here. The far side (a pty's master, the caller's terminal) calls ``receive``; readers call ``read``, writers ``write``.
What the far side is to see gathers in ``output.data``, signals for the foreground process group in ``signals``.
"""

from bisect import bisect_left, insort
from typing import Final

from sentry.fs.tty.chartype import is_alnum, is_control, to_lower
from sentry.fs.tty.echo import Echo
from sentry.fs.tty.output import OutputProcessor, is_continuation
from sentry.fs.tty.termios import Termios
from syscalls.abi.signal import SIGINT, SIGQUIT, SIGTSTP
from syscalls.abi.termios import (
    ECHO,
    ECHOCTL,
    ECHOE,
    ECHOK,
    ECHOKE,
    ECHONL,
    ECHOPRT,
    EXTPROC,
    ICANON,
    ICRNL,
    IEXTEN,
    IGNCR,
    INLCR,
    ISIG,
    ISTRIP,
    IUCLC,
    IXANY,
    IXON,
    NOFLSH,
    PARMRK,
    VEOF,
    VEOL,
    VEOL2,
    VERASE,
    VINTR,
    VKILL,
    VLNEXT,
    VQUIT,
    VREPRINT,
    VSTART,
    VSTOP,
    VSUSP,
    VWERASE,
)

#: the read buffer (Linux: N_TTY_BUF_SIZE); one place stays free
BUFFER_SIZE: Final = 4096
_ECHO_BLOCK: Final = 256
_DISABLED: Final = 0
_NEWLINE, _RETURN, _TAB = 10, 13, 9


class LineDiscipline:
    """The state of one terminal. ``buffer`` holds what was typed and not read; ``_ends`` are positions of line ends in it."""

    __slots__ = (
        "_canonical",
        "_echo",
        "_ends",
        "_erasing",
        "_quoted",
        "_special",
        "buffer",
        "is_flow_stopped",
        "is_stopped",
        "modes",
        "output",
        "signals",
        "was_flushed",
    )

    def __init__(self, modes: Termios | None = None) -> None:
        self.modes = modes or Termios()
        self.output = OutputProcessor(self.modes)
        self.buffer = bytearray()
        self.signals: list[int] = []
        self.is_stopped = False  # by the STOP character
        self.is_flow_stopped = False  # by tcflow(TCOOFF)
        self.was_flushed = False  # a signal character has thrown input and output away; the owner resets it
        self._echo = Echo(self.output)
        self._ends: list[int] = []
        self._canonical = 0  # how much of the buffer are whole lines
        self._erasing = False
        self._quoted = False
        self._special: frozenset[int] = frozenset()
        self._find_special()

    # Modes

    def set_modes(self, modes: Termios) -> None:
        """Change the modes; what is in the buffer is kept (Linux: n_tty_set_termios())."""
        old, self.modes = self.modes, modes
        self.output.modes = modes
        if (old.lflag ^ modes.lflag) & (ICANON | EXTPROC):
            self._ends.clear()
            if modes.lflag & ICANON and self.buffer:
                self._ends.append(len(self.buffer) - 1)
                self._canonical = len(self.buffer)
            else:
                self._canonical = 0
            self._erasing = False
            self._quoted = False
        self._find_special()
        if old.iflag & IXON and not modes.iflag & IXON and not self.is_flow_stopped:
            self._start()

    def _find_special(self) -> None:
        modes = self.modes
        cc, iflag, lflag = modes.cc, modes.iflag, modes.lflag
        special: set[int] = set()
        if iflag & (IGNCR | ICRNL):
            special.add(_RETURN)
        if iflag & INLCR:
            special.add(_NEWLINE)
        if lflag & ICANON:
            special.update((cc[VERASE], cc[VKILL], cc[VEOF], _NEWLINE, cc[VEOL]))
            if lflag & IEXTEN:
                special.update((cc[VWERASE], cc[VLNEXT], cc[VEOL2]))
                if lflag & ECHO:
                    special.add(cc[VREPRINT])
        if iflag & IXON:
            special.update((cc[VSTART], cc[VSTOP]))
        if lflag & ISIG:
            special.update((cc[VINTR], cc[VQUIT], cc[VSUSP]))
        special.discard(_DISABLED)
        self._special = frozenset(special)

    @property
    def is_canonical(self) -> bool:
        """Whether whole lines are read."""
        return self.modes.lflag & (ICANON | EXTPROC) == ICANON

    # Input

    def receive(self, data: bytes) -> int:
        """Take what the far side sent; returns how much. The rest must come again once something was read.

        Linux: n_tty_receive_buf_common().
        """
        done = 0
        while done < len(data):
            room = BUFFER_SIZE - len(self.buffer)
            if self.modes.iflag & PARMRK:
                room = -(-room // 3)
            room -= 1
            if room <= 0:
                if not (self.modes.lflag & ICANON and not self._canonical):
                    break
                if room < 0:  # a line without an end has filled the buffer: its last character is lost
                    del self.buffer[-1]
                room = 1
            part = data[done : done + room]
            self._receive(part)
            done += len(part)
            if self.modes.lflag & (ECHO | ECHONL) and not self.is_output_held:
                self._echo.flush()
        return done

    def _receive(self, data: bytes) -> None:
        special = self._special
        for raw in data:
            char = raw
            modes = self.modes
            if self._quoted:
                self._quoted = False
                self._plain(self._strip(char, modes))
                continue
            char = self._strip(char, modes)
            if modes.lflag & EXTPROC:
                self.buffer.append(char)
            elif char in special:
                self._receive_special(char)
            else:
                self._plain(char)

    @staticmethod
    def _strip(char: int, modes: Termios) -> int:
        if modes.iflag & ISTRIP:
            char &= 0x7F
        if modes.iflag & IUCLC and modes.lflag & IEXTEN:
            char = to_lower(char)
        return char

    def _plain(self, char: int) -> None:
        """An ordinary character."""
        if self.is_stopped and not self.is_flow_stopped and self.modes.iflag & (IXON | IXANY) == IXON | IXANY:
            self._start()
        if self.modes.lflag & ECHO:
            self._finish_erasing()
            if self._canonical == len(self.buffer):
                self._echo.set_column()
            self._echo.char(char)
            self._commit()
        self._store(char)

    def _store(self, char: int) -> None:
        if char == 0xFF and self.modes.iflag & PARMRK:
            self.buffer.append(char)
        self.buffer.append(char)

    def _receive_special(self, char: int) -> None:  # noqa: C901, PLR0912 - one decision after the other, as termios(3) has it
        """A character that some mode gives a meaning (Linux: n_tty_receive_char_special())."""
        modes = self.modes
        cc, iflag, lflag = modes.cc, modes.iflag, modes.lflag
        if iflag & IXON and char == cc[VSTART]:
            self._start()
            return
        if iflag & IXON and char == cc[VSTOP]:
            self.is_stopped = True
            return
        if lflag & ISIG:
            for index, signal in ((VINTR, SIGINT), (VQUIT, SIGQUIT), (VSUSP, SIGTSTP)):
                if char == cc[index]:
                    self._send(signal, char)
                    return
        if self.is_stopped and not self.is_flow_stopped and iflag & (IXON | IXANY) == IXON | IXANY:
            self._start()
        if char == _RETURN:
            if iflag & IGNCR:
                return
            if iflag & ICRNL:
                char = _NEWLINE
        elif char == _NEWLINE and iflag & INLCR:
            char = _RETURN
        if lflag & ICANON and self._receive_canonical(char):
            return
        if lflag & ECHO:
            self._finish_erasing()
            if char == _NEWLINE:
                self._echo.raw(b"\n")
            else:
                if self._canonical == len(self.buffer):
                    self._echo.set_column()
                self._echo.char(char)
            self._commit()
        self._store(char)

    def _send(self, signal: int, char: int) -> None:
        """INTR, QUIT, SUSP: a signal for the foreground, and a fresh start unless NOFLSH (Linux: isig())."""
        self.signals.append(signal)
        if not self.modes.lflag & NOFLSH:
            self._echo.clear()
            self.flush_input()
            self.was_flushed = True
        if self.modes.iflag & IXON:
            self._start()
        if self.modes.lflag & ECHO:
            self._echo.char(char)
            self._commit()
        elif not self.is_output_held:
            self._echo.flush()

    def _receive_canonical(self, char: int) -> bool:  # noqa: C901 - one branch for each special character
        """Line editing and line ends; whether the character is dealt with (Linux: n_tty_receive_char_canon())."""
        cc, lflag = self.modes.cc, self.modes.lflag
        is_extended = bool(lflag & IEXTEN)
        if char in (cc[VERASE], cc[VKILL]) or (char == cc[VWERASE] and is_extended):
            self._erase(char)
            self._commit()
            return True
        if char == cc[VLNEXT] and is_extended:
            self._quoted = True
            if lflag & ECHO:
                self._finish_erasing()
                if lflag & ECHOCTL:
                    self._echo.raw(b"^\b")
                    self._commit()
            return True
        if char == cc[VREPRINT] and lflag & ECHO and is_extended:
            self._reprint(char)
            return True
        if char == _NEWLINE:
            if lflag & (ECHO | ECHONL):
                self._echo.raw(b"\n")
                self._commit()
            self._end_line(char)
            return True
        if char == cc[VEOF]:
            self._end_line(_DISABLED)
            return True
        if char == cc[VEOL] or (char == cc[VEOL2] and is_extended):
            if lflag & ECHO:
                if self._canonical == len(self.buffer):
                    self._echo.set_column()
                self._echo.char(char)
                self._commit()
            if char == 0xFF and self.modes.iflag & PARMRK:
                self.buffer.append(char)
            self._end_line(char)
            return True
        return False

    def _end_line(self, char: int) -> None:
        insort(self._ends, len(self.buffer))
        self.buffer.append(char)
        self._canonical = len(self.buffer)

    def _reprint(self, char: int) -> None:
        self._finish_erasing()
        self._echo.char(char)
        self._echo.raw(b"\n")
        for shown in self.buffer[self._canonical :]:
            self._echo.char(shown)
        self._commit()

    # Erasing

    def _erase(self, char: int) -> None:  # noqa: C901, PLR0912 - three kinds of erasing share one loop
        """ERASE, WERASE and KILL (Linux: eraser())."""
        cc, lflag = self.modes.cc, self.modes.lflag
        buffer = self.buffer
        if len(buffer) == self._canonical:
            return
        is_word = False
        is_kill = False
        if char == cc[VERASE]:
            pass
        elif char == cc[VWERASE]:
            is_word = True
        else:
            is_kill = True
            if not lflag & ECHO:
                del buffer[self._canonical :]
                return
            if lflag & (ECHOK | ECHOKE | ECHOE) != ECHOK | ECHOKE | ECHOE:
                del buffer[self._canonical :]
                self._finish_erasing()
                self._echo.char(cc[VKILL])
                if lflag & ECHOK:
                    self._echo.raw(b"\n")
                return
        has_seen_word = False
        while len(buffer) > self._canonical:
            head = self._previous(len(buffer))
            first = buffer[head]
            if is_continuation(first, self.modes):
                break
            if is_word:
                if is_alnum(first) or first == ord("_"):
                    has_seen_word = True
                elif has_seen_word:
                    break
            erased = bytes(buffer[head:])
            del buffer[head:]
            if lflag & ECHO:
                self._show_erased(erased, is_erase=not is_word and not is_kill)
            if not is_word and not is_kill:
                break
        if len(buffer) == self._canonical and lflag & ECHO:
            self._finish_erasing()

    def _previous(self, end: int) -> int:
        """Where the character before ``end`` begins."""
        head = end - 1
        while is_continuation(self.buffer[head], self.modes) and head > self._canonical:
            head -= 1
        return head

    def _show_erased(self, erased: bytes, *, is_erase: bool) -> None:
        lflag, echo = self.modes.lflag, self._echo
        char = erased[0]
        if lflag & ECHOPRT:
            if not self._erasing:
                echo.raw(b"\\")
                self._erasing = True
            echo.char(char)
            for further in erased[1:]:
                echo.raw(bytes((further,)))
                echo.back()
        elif is_erase and not lflag & ECHOE:
            echo.char(self.modes.cc[VERASE])
        elif char == _TAB:
            self._show_erased_tab()
        else:
            if is_control(char) and lflag & ECHOCTL:
                echo.raw(b"\b \b")
            if not is_control(char) or lflag & ECHOCTL:
                echo.raw(b"\b \b")

    def _show_erased_tab(self) -> None:
        columns = 0
        is_after_tab = False
        for char in reversed(self.buffer[self._canonical :]):
            if char == _TAB:
                is_after_tab = True
                break
            if is_control(char):
                if self.modes.lflag & ECHOCTL:
                    columns += 2
            elif not is_continuation(char, self.modes):
                columns += 1
        self._echo.erase_tab(columns, is_after_tab=is_after_tab)

    def _finish_erasing(self) -> None:
        if self._erasing:
            self._echo.raw(b"/")
            self._erasing = False

    # Flow

    @property
    def is_output_held(self) -> bool:
        """Whether nothing may be written now."""
        return self.is_stopped or self.is_flow_stopped

    def _commit(self) -> None:
        """Echo is shown when a block of input is done, or when a lot has gathered (Linux: commit_echoes())."""
        if len(self._echo) >= _ECHO_BLOCK and not self.is_output_held:
            self._echo.flush()

    def _start(self) -> None:
        if not self.is_flow_stopped:
            self.is_stopped = False
            self._echo.flush()

    def set_flow(self, *, stopped: bool) -> None:
        """tcflow(TCOOFF, TCOON). Echo that was held shows with the next input or output (Linux: __start_tty())."""
        if stopped:
            self.is_flow_stopped = True
        elif self.is_flow_stopped:
            self.is_flow_stopped = self.is_stopped = False

    # Reading

    @property
    def available(self) -> int:
        """How many bytes could be read: whole lines only in canonical mode (FIONREAD counts no end-of-file marks)."""
        if not self.is_canonical:
            return len(self.buffer)
        return self._canonical - sum(1 for end in self._ends if self.buffer[end] == _DISABLED)

    @property
    def has_input(self) -> bool:
        """Whether a read would not wait (VMIN aside)."""
        return bool(self._canonical) if self.is_canonical else bool(self.buffer)

    def read(self, length: int) -> bytes:
        """Take up to ``length`` bytes; in canonical mode at most one line. b"" is an end of file. Precondition: ``has_input``."""
        data, used = self.peek(length)
        self.consume(used)
        return data

    def peek(self, length: int) -> tuple[bytes, int]:
        """What ``read`` would return and how much of the buffer that uses up."""
        if not self.is_canonical:
            data = bytes(self.buffer[:length])
            is_end = self.modes.lflag & ICANON and len(self.buffer) == 1 and data == self.modes.cc[VEOF : VEOF + 1]
            return (b"" if is_end else data), len(data)  # EXTPROC: an end-of-file character all alone is one
        end = self._ends[0] if self._ends else self._canonical
        has_end = bool(self._ends)
        if not has_end or end >= length:
            used = min(length, self._canonical)
            if has_end and end == length and self.buffer[end] == _DISABLED:  # the mark goes with the line it ends
                used += 1
            return bytes(self.buffer[: min(length, used)]), used
        data = bytes(self.buffer[: end + 1])
        return (data[:-1], end + 1) if data[-1] == _DISABLED else (data, end + 1)

    def consume(self, used: int) -> None:
        """Remove the first ``used`` places of the buffer."""
        if not used:
            return
        del self.buffer[:used]
        gone = bisect_left(self._ends, used)
        self._ends = [end - used for end in self._ends[gone:]]
        self._canonical = max(self._canonical - used, 0)

    def flush_input(self) -> None:
        """Forget what was typed (tcflush(TCIFLUSH))."""
        self.buffer.clear()
        self._ends.clear()
        self._canonical = 0
        self._erasing = False
        self._quoted = False

    # Writing

    def write(self, data: bytes) -> None:
        """A program's output. Precondition: not ``is_output_held``, and there is room."""
        self._echo.flush()
        self.output.write(data)
