"""The modes of a terminal (termios(3)) and their three struct layouts."""

from dataclasses import dataclass, replace
from struct import Struct
from typing import Final

from syscalls.abi.termios import (
    B38400,
    CBAUD,
    CREAD,
    CS8,
    ECHO,
    ECHOCTL,
    ECHOE,
    ECHOK,
    ECHOKE,
    ICANON,
    ICRNL,
    IEXTEN,
    ISIG,
    IXON,
    NCCS,
    ONLCR,
    OPOST,
    TERMIOS,
    TERMIOS2,
)

#: struct termio of System V: iflag oflag cflag lflag (16 bits each) line cc[8]
TERMIO: Final = Struct("<HHHHB8sx")
BOTHER: Final = 0o10000
_IBSHIFT: Final = 16
#: baud rates by the low bits of CBAUD (asm-generic/termbits.h)
_RATES: Final = (
    0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
    57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
)  # fmt: skip
#: INIT_C_CC of Linux: ^C ^\ DEL ^U ^D 0 1 0 ^Q ^S ^Z 0 ^R ^O ^W ^V 0
DEFAULT_CC: Final = bytes((3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0))


@dataclass(frozen=True, slots=True)
class Termios:
    """One setting; replaced as a whole. The default is what a new pseudo-terminal has (Linux: drivers/tty/pty.c)."""

    iflag: int = ICRNL | IXON
    oflag: int = OPOST | ONLCR
    cflag: int = B38400 | CS8 | CREAD
    lflag: int = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN
    line: int = 0
    cc: bytes = DEFAULT_CC
    ispeed: int = 38400
    ospeed: int = 38400

    def pack(self) -> bytes:
        """Struct termios."""
        return TERMIOS.pack(self.iflag, self.oflag, self.cflag, self.lflag, self.line, self.cc)

    def pack2(self) -> bytes:
        """Struct termios2."""
        head = (self.iflag, self.oflag, self.cflag, self.lflag, self.line, self.cc)
        return TERMIOS2.pack(*head, self.ispeed, self.ospeed)

    def pack_termio(self) -> bytes:
        """Struct termio."""
        flags = (self.iflag & 0xFFFF, self.oflag & 0xFFFF, self.cflag & 0xFFFF, self.lflag & 0xFFFF)
        return TERMIO.pack(*flags, self.line, self.cc[:8])

    def unpack(self, data: bytes) -> "Termios":
        """The setting that a struct termios asks for."""
        iflag, oflag, cflag, lflag, line, cc = TERMIOS.unpack(data)
        return _with_speed(Termios(iflag, oflag, cflag, lflag, line, cc, self.ispeed, self.ospeed))

    def unpack2(self, data: bytes) -> "Termios":
        """The setting that a struct termios2 asks for."""
        return _with_speed(Termios(*TERMIOS2.unpack(data)))

    def unpack_termio(self, data: bytes) -> "Termios":
        """The setting that a struct termio asks for: upper halves and further characters stay."""
        iflag, oflag, cflag, lflag, line, cc = TERMIO.unpack(data)
        high = 0xFFFF0000
        return _with_speed(
            replace(
                self,
                iflag=self.iflag & high | iflag,
                oflag=self.oflag & high | oflag,
                cflag=self.cflag & high | cflag,
                lflag=self.lflag & high | lflag,
                line=line,
                cc=cc + self.cc[8:NCCS],
            )
        )


def _with_speed(modes: Termios) -> Termios:
    """The rates that c_cflag means (Linux: drivers/tty/tty_baudrate.c)."""
    code = modes.cflag & CBAUD
    ospeed = modes.ospeed if code == BOTHER else _rate(code)
    input_code = modes.cflag >> _IBSHIFT & CBAUD
    choice = {0: ospeed, BOTHER: modes.ispeed}
    ispeed = choice[input_code] if input_code in choice else _rate(input_code)
    return replace(modes, ispeed=ispeed, ospeed=ospeed)


def _rate(code: int) -> int:
    index = (code & 0o17) + 15 if code & BOTHER else code & 0o17
    return _RATES[index] if index < len(_RATES) else 0
