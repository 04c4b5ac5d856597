"""The line discipline shows and delivers what the host kernel's does, for any modes and any typing."""

from dataclasses import replace
from pathlib import Path
from sys import path as module_path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentry.fs.tty.line_discipline import LineDiscipline
from sentry.fs.tty.termios import DEFAULT_CC, Termios
from syscalls.abi import termios as t
from syscalls.abi.signal import SIGINT, SIGTSTP

module_path.insert(0, str(Path(__file__).parent))
from host_pty import HostPty

IFLAGS = (t.ISTRIP, t.INLCR, t.IGNCR, t.ICRNL, t.IUCLC, t.IXON, t.IXANY, t.PARMRK, t.IUTF8)
OFLAGS = (t.OPOST, t.OLCUC, t.ONLCR, t.OCRNL, t.ONOCR, t.ONLRET, t.XTABS)
LFLAGS = (
    t.ISIG, t.ICANON, t.ECHO, t.ECHOE, t.ECHOK, t.ECHONL, t.NOFLSH, t.ECHOCTL, t.ECHOPRT, t.ECHOKE, t.IEXTEN,
)  # fmt: skip
USUAL = t.ICANON | t.ECHO | t.ECHOE | t.ECHOK | t.ECHOKE | t.ECHOCTL | t.IEXTEN | t.ISIG


def flags(choices: tuple[int, ...], usual: int) -> st.SearchStrategy[int]:
    some = st.sets(st.sampled_from(choices)).map(sum)
    return st.one_of(st.just(usual), some, some.map(lambda extra: usual ^ extra))


def modes() -> st.SearchStrategy[Termios]:
    cc = st.sampled_from(
        [DEFAULT_CC, bytes([*DEFAULT_CC[: t.VEOL], ord("x"), *DEFAULT_CC[t.VEOL + 1 : t.VEOL2], ord("y"), 0, 0])]
    )
    return st.builds(
        Termios,
        iflag=flags(IFLAGS, t.ICRNL | t.IXON),
        oflag=flags(OFLAGS, t.OPOST | t.ONLCR),
        lflag=flags(LFLAGS, USUAL),
        cc=cc,
    )


SPECIAL = bytes((3, 4, 8, 9, 10, 13, 17, 18, 19, 21, 22, 23, 26, 28, 127, 0, 255, 0xC3, 0xA9, 0xE4))
KEYS = st.one_of(st.sampled_from(list(b"abz AZ_x.y\t")), st.sampled_from(list(SPECIAL)), st.integers(0, 255))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("type"), st.lists(KEYS, max_size=12).map(bytes)),
        st.tuples(st.just("read"), st.integers(1, 12)),
        st.tuples(st.just("write"), st.lists(KEYS, max_size=8).map(bytes)),
        st.tuples(st.just("modes"), modes()),
    ),
    max_size=8,
)
SIGNALS = bytes(DEFAULT_CC[index] for index in (t.VINTR, t.VQUIT, t.VSUSP))


class Pair:
    """The model and the host, moved in step."""

    def __init__(self, setting: Termios) -> None:
        self.host = HostPty(setting)
        self.model = LineDiscipline(self.host.modes())

    def type(self, data: bytes) -> None:
        # A signal character throws away output that is still under way, so it is typed when there is none.
        for part in [data] if not any(char in SIGNALS for char in data) else [bytes((char,)) for char in data]:
            self.host.type(part)
            assert self.model.receive(part) == len(part)
            self.compare()

    def set_modes(self, setting: Termios) -> None:
        self.host.set_modes(setting)
        self.model.set_modes(self.host.modes())
        self.compare()

    def write(self, data: bytes) -> None:
        if not self.model.is_output_held and data:
            self.host.write(data)
            self.model.write(data)
            self.compare()

    def read(self, length: int) -> None:
        expected = self.model.read(length) if self.model.has_input else None
        assert self.host.read(length) == expected

    def compare(self) -> None:
        """Echo and output first: when they have come, the host has worked through its input."""
        expected = bytes(self.model.output.data)
        self.model.output.data.clear()
        assert self.host.available(self.model.available) == self.model.available
        assert self.host.shown(len(expected)) == expected


@settings(max_examples=120, deadline=None)
@given(modes(), STEPS)
@pytest.mark.slow
def test_agrees_with_the_host(setting: Termios, steps: list[tuple[str, object]]) -> None:
    pair = Pair(setting)
    try:
        for kind, value in steps:
            getattr(pair, {"modes": "set_modes"}.get(kind, kind))(value)
    finally:
        pair.host.close()


def test_default_modes_are_those_of_a_new_pty() -> None:
    host = HostPty()
    try:
        assert host.modes() == Termios()
    finally:
        host.close()


def typed(data: bytes, setting: Termios | None = None) -> LineDiscipline:
    discipline = LineDiscipline(setting)
    assert discipline.receive(data) == len(data)
    return discipline


def test_line_is_read_when_it_ends() -> None:
    discipline = typed(b"ab")
    assert not discipline.has_input
    discipline.receive(b"\r")
    assert discipline.read(10) == b"ab\n"
    assert bytes(discipline.output.data) == b"ab\r\n"


def test_end_of_file_delivers_what_is_there_and_then_nothing() -> None:
    discipline = typed(b"ab\x04\x04")
    assert discipline.read(10) == b"ab"
    assert discipline.read(10) == b""
    assert not discipline.has_input


def test_end_of_file_goes_with_a_line_that_fills_the_reader() -> None:
    discipline = typed(b"ab\x04")
    assert discipline.read(2) == b"ab"
    assert not discipline.has_input


def test_signal_characters_flush_unless_noflsh() -> None:
    discipline = typed(b"ab\x03")
    assert discipline.signals == [SIGINT]
    assert not discipline.buffer
    keeping = typed(b"ab\x1a", replace(Termios(), lflag=Termios().lflag | t.NOFLSH))
    assert keeping.signals == [SIGTSTP]
    assert bytes(keeping.buffer) == b"ab"


def test_stop_holds_echo_and_start_shows_it() -> None:
    discipline = typed(b"a")
    discipline.receive(b"\x13bc")
    assert bytes(discipline.output.data) == b"a"
    assert discipline.is_output_held
    discipline.receive(b"\x11")
    assert bytes(discipline.output.data) == b"abc"


def test_a_line_without_end_keeps_4095_and_loses_the_rest() -> None:
    host = HostPty(replace(Termios(), lflag=t.ICANON))
    discipline = LineDiscipline(host.modes())
    try:
        for _ in range(5):
            host.type(b"x" * 1000)
            assert discipline.receive(b"x" * 1000) == 1000
        host.type(b"\n")
        discipline.receive(b"\n")
        assert host.available(discipline.available) == discipline.available
        assert host.read(8192) == discipline.read(8192)
    finally:
        host.close()


def test_raw_input_waits_when_the_buffer_is_full() -> None:
    discipline = LineDiscipline(replace(Termios(), lflag=0))
    assert discipline.receive(bytes(5000)) == 4095
    assert len(discipline.read(100)) == 100
    assert discipline.receive(bytes(905)) == 100


def test_leaving_canonical_mode_gives_what_is_there() -> None:
    discipline = typed(b"abc")
    discipline.set_modes(replace(Termios(), lflag=0))
    assert discipline.read(2) == b"ab"
    discipline.set_modes(Termios())
    assert discipline.has_input
    assert discipline.read(5) == b"c"
