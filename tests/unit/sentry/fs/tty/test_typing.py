"""Every key that edits, in every mode that changes what it does: echo, input and column are those of the host's terminal."""

import termios
from dataclasses import replace
from pathlib import Path
from sys import path as module_path

import pytest

from sentry.fs.tty.line_discipline import LineDiscipline
from sentry.fs.tty.termios import DEFAULT_CC, Termios
from syscalls.abi import termios as t

module_path.insert(0, str(Path(__file__).parent))
from host_pty import HostPty

PATIENCE_S = 60.0
#: typed with the characters of a new terminal: DEL erases, ^U kills, ^W a word, ^V quotes, ^R reprints, ^D ends, ^S ^Q flow
TYPED = (
    b"abc\x7f\x7fd\x7f\x7f\x7f.\n",
    b"one two_3 \x17\x17x\n",
    b"one  _a..\x17x\x17\x17\x17y\n",
    b"abc\x15d\x15\x15e\n",
    b"a\tb\x7f\x7f\x7fc\n",
    b"\t\t\x7f\x7f\x7f.\n",
    b"ab\tcd\te\x15f\n",
    b"\x01b\t\x7f\x7f\x7fx\n",
    b"\x01\x16\x17\tq\x15x\n",
    b"\x16\x03\x16\x7fx\x7f\x7f.\n",
    b"\x16\nab\x16\x04c\n",
    b"ab\x12c\x01\x12d\n",
    b"a\rb\n\r\r",
    b"ab\x04cd\x04\x04",
    b"a\nbc",
    b"a\x13b\x7f\x11c\n",
    b"a\x13bc\x7f",
    b"a\x13\nq\x11",
    b"\xc3\xa9\xe4\xbd\xa0\x7f\x7fb\n",
    b"a\xc3\xa9b\t\x7fc\x15d\n",
    b"\xa9\x80\x7f\x7f.\n",
    b"\xff\xffa\x7f\x7f\n\xff",
    b"AbC@[Z`{\xc4\xde\xdf\xd7\xe4\n",
    b"\xe1\xf3\xe4\xe0\n",
    b"12xab y\x7fz\n",
    b"ab\x7fc\x7f\x7fd\n",
    b"\x00\x1f\x80\x9f\xa0\x7f\x7f\x7f\x7f\x7f.\n",
    b"q" * 300 + b"\x7f\n",
)
INPUT = ("ISTRIP", "INLCR", "IGNCR", "ICRNL", "IUCLC", "IXON", "IXANY", "PARMRK", "IUTF8")
OUTPUT = ("OPOST", "OLCUC", "XTABS", "ONLCR")
LOCAL = ("ICANON", "ECHO", "ECHOE", "ECHOK", "ECHONL", "ECHOCTL", "ECHOPRT", "ECHOKE", "IEXTEN", "ISIG", "NOFLSH", "EXTPROC")
#: more than one bit at a time
TOGETHER = (
    "ECHO ECHONL", "ECHOCTL ECHOPRT", "ECHOE ECHOKE", "IUTF8 ECHOPRT", "IUTF8 XTABS", "ICANON PARMRK", "IXON IXANY",
    "IUCLC IEXTEN",    "ISTRIP IUTF8", "ICRNL INLCR", "ECHO NOFLSH", "IGNCR INLCR", "ECHOE ECHOPRT", "ICANON ECHO", "OPOST IUTF8",
)  # fmt: skip
VARIANTS = ("", *INPUT, *OUTPUT, *LOCAL, *TOGETHER, "VEOL")


def setting(variant: str) -> Termios:
    """The usual modes with some bits turned over; "VEOL": further line ends, x and y."""
    modes = Termios()
    if variant == "VEOL":
        cc = bytearray(DEFAULT_CC)
        cc[t.VEOL], cc[t.VEOL2] = b"xy"
        return replace(modes, cc=bytes(cc))
    for name in variant.split():
        field = "iflag" if name in INPUT else "oflag" if name in OUTPUT else "lflag"
        modes = replace(modes, **{field: getattr(modes, field) ^ getattr(t, name)})
    return modes


class Pair:
    """The model and the host, moved in step."""

    def __init__(self, modes: Termios) -> None:
        self.host = HostPty(modes, PATIENCE_S)
        self.model = LineDiscipline(self.host.modes())

    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, *exception: object) -> None:
        self.host.close()

    def type(self, data: bytes) -> None:
        self.host.type(data)
        assert self.model.receive(data) == len(data)
        self.compare(data)

    def write(self, data: bytes) -> None:
        if not self.model.is_output_held:
            self.host.write(data)
            self.model.write(data)
            self.compare(data)

    def read_all(self, length: int) -> None:
        while self.model.has_input:
            expected = self.model.read(length)
            assert self.host.read(length) == expected
            assert self.host.available(self.model.available) == self.model.available
        assert self.host.read(length) is None

    def flow(self, action: int, *, stopped: bool) -> None:
        self.host.flow(action)
        self.model.set_flow(stopped=stopped)
        self.compare(b"flow")

    def set_modes(self, modes: Termios) -> None:
        self.host.set_modes(modes)
        self.model.set_modes(self.host.modes())
        self.compare(b"modes")

    def compare(self, what: bytes) -> None:
        """Echo and output first: when they have come, the host has worked through its input."""
        expected = bytes(self.model.output.data)
        self.model.output.data.clear()
        assert (what, self.host.available(self.model.available)) == (what, self.model.available)
        assert (what, self.host.shown(len(expected))) == (what, expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_typed_looks_as_on_the_host(variant: str) -> None:
    for number, data in enumerate(TYPED):
        with Pair(setting(variant)) as pair:
            pair.write(b"12345"[: number % 6])
            pair.type(data)
            pair.read_all((1, 3, 100)[number % 3])
            pair.write(b"\tq\b\b\r\n.\t|")


@pytest.mark.parametrize("variant", ["", "ECHO", "NOFLSH", "ECHOCTL", "ISIG", "ECHO NOFLSH", "IXON", "ICANON", "ICANON ECHO"])
@pytest.mark.parametrize("key", [b"\x03", b"\x1c", b"\x1a"])
def test_signal_keys_throw_away_what_was_typed(variant: str, key: bytes) -> None:
    with Pair(setting(variant)) as pair:
        pair.type(b"done\nhalf")
        pair.type(key)
        signals = 0 if variant == "ISIG" else 1
        is_flushing = signals and "NOFLSH" not in variant
        assert (len(pair.model.signals), pair.model.was_flushed) == (signals, bool(is_flushing))
        pair.type(b"new\n")
        pair.read_all(100)


@pytest.mark.parametrize("variant", ["", "IXANY", "IXON", "ECHO"])
def test_output_that_the_program_stopped(variant: str) -> None:
    with Pair(setting(variant)) as pair:
        pair.flow(termios.TCOOFF, stopped=True)
        pair.type(b"ab\x7f")
        pair.type(b"\x13\x11c")  # START does not undo TCOOFF
        assert pair.model.is_output_held
        pair.flow(termios.TCOON, stopped=False)
        pair.type(b"\x13d")
        pair.flow(termios.TCOON, stopped=False)  # nor TCOON what STOP did
        assert pair.model.is_output_held == (variant not in ("IXON", "IXANY"))
        pair.type(b"\x11e\n")
        pair.read_all(100)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "ICANON"),
        ("ICANON", ""),
        ("", "EXTPROC"),
        ("EXTPROC", ""),
        ("", "IXON"),
        ("", "ECHO"),
        ("ECHOPRT", "ECHO"),
        ("", "ISIG"),
    ],
)
def test_what_is_kept_when_the_modes_change(before: str, after: str) -> None:
    for data in (b"one\nha\x7f", b"half\x16", b"", b"a\x13b", b"x\x04"):
        with Pair(setting(before)) as pair:
            pair.type(data)
            pair.set_modes(setting(after))
            pair.type(b"yz\n")
            pair.read_all(2)
