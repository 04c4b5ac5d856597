"""Between our streams and those of a sandbox that a keeper holds (``state/streams.py`` is the other end)."""

import contextlib
import os
import select
import signal
import sys
from _socket import AF_UNIX, SHUT_WR, SOCK_CLOEXEC, SOCK_STREAM, socket, socketpair
from collections.abc import Iterator
from typing import Any

from sandboxctl import terminal
from sandboxctl.errors import OptionError, SandboxError
from sandboxctl.state.link import Link
from sandboxctl.state.record import Record
from sandboxctl.state.streams import FRAME
from sentry.boot.control_protocol import ChannelClosed, ProtocolError

DETACH_KEYS = "ctrl-p,ctrl-q"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_CHUNK = 1 << 16


def parse_keys(text: str) -> bytes:
    """``ctrl-p,ctrl-q`` or ``a,ctrl-[`` as the bytes that a terminal sends; empty for none. Raises OptionError."""
    keys = bytearray()
    for name in text.split(",") if text else ():
        letter = name.removeprefix("ctrl-")
        if len(letter) != 1 or not letter.isascii() or (letter != name and not ("@" <= letter.upper() <= "_")):
            raise OptionError(f"--detach-keys: {name!r} is neither one character nor ctrl- with a letter or one of @[\\]^_")
        keys.append(ord(letter.upper()) & 0x1F if letter != name else ord(letter))
    return bytes(keys)


def follow(
    link: Link, record: Record, *, types: bool, closes: bool, keys: bytes, passes_signals: bool, starts: bool = False
) -> int:
    """Attach to a sandbox, with ``starts`` let its program begin; returns its exit code, or 0 when it is left by ``keys``."""
    is_terminal = bool(record.command.get("tty"))
    ours, theirs = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
    try:
        link.ask("attach", [theirs.fileno()], types=types and bool(record.command.get("interactive")), closes=closes)
    finally:
        theirs.close()
    with contextlib.ExitStack() as stack:
        arrivals = stack.enter_context(_signals(passes_signals))
        if is_terminal and types and terminal.is_terminal(0):
            stack.enter_context(terminal.raw(0))
        if is_terminal and terminal.size(0) != (0, 0):
            rows, columns = terminal.size(0)
            link.ask("resize", rows=rows, cols=columns)
        if starts:
            link.ask("start")
        link.channel.send("wait")
        return _Follower(link, ours, arrivals, keys if is_terminal else b"", is_terminal=is_terminal).run(types=types)


class _Follower:
    def __init__(self, link: Link, stream: socket, arrivals: int, keys: bytes, *, is_terminal: bool) -> None:
        self._link = link
        self._stream = stream
        self._arrivals = arrivals
        self._keys = keys
        self._is_terminal = is_terminal
        self._matched = b""
        self._received = bytearray()
        self._code: int | None = None
        self._has_left = False

    def run(self, *, types: bool) -> int:
        """Copy until the program has ended and all that it wrote has come, or the keys were typed."""
        poll = select.poll()
        watched = [self._stream.fileno(), self._link.channel.fileno(), self._arrivals, *([0] if types else ())]
        for fd in watched:
            poll.register(fd, select.POLLIN)
        is_open = True
        while is_open or self._code is None:
            for fd, _ in poll.poll():
                if fd == self._stream.fileno():
                    is_open = self._output()
                    if not is_open:
                        poll.unregister(fd)
                elif fd == self._arrivals:
                    self._signalled()
                elif fd == 0:
                    if not self._typed():
                        poll.unregister(0)
                    if self._has_left:
                        return 0
                elif not self._told():
                    poll.unregister(fd)
        return self._code

    def _output(self) -> bool:
        try:
            data = self._stream.recv(_CHUNK)
        except OSError:
            data = b""
        self._received += data
        while len(self._received) >= FRAME.size:
            number, length = FRAME.unpack_from(self._received)
            if len(self._received) < FRAME.size + length:
                break
            file = sys.stderr.buffer if number == 2 else sys.stdout.buffer
            file.write(self._received[FRAME.size : FRAME.size + length])
            file.flush()
            del self._received[: FRAME.size + length]
        return bool(data)

    def _typed(self) -> bool:
        try:
            data = os.read(0, _CHUNK)
        except OSError:
            data = b""
        if not data:
            with contextlib.suppress(OSError):
                self._stream.shutdown(SHUT_WR)
            return False
        with contextlib.suppress(OSError):  # it has ended; we shall hear of it
            self._stream.sendall(self._without_keys(data) if self._keys else data)
        return True

    def _without_keys(self, data: bytes) -> bytes:
        """What is typed but the keys; half of them is kept back until the next one tells."""
        passed = bytearray()
        for number in data:
            key = bytes([number])
            if self._keys.startswith(self._matched + key):
                self._matched += key
                if self._matched == self._keys:
                    self._has_left = True
                    break
                continue
            passed += self._matched
            self._matched = key if self._keys.startswith(key) else b""
            passed += b"" if self._matched else key
        return bytes(passed)

    def _signalled(self) -> None:
        for signo in os.read(self._arrivals, 64):
            if signo != signal.SIGWINCH:
                self._send("signal", signo=signo, everyone=False)
            elif self._is_terminal:
                rows, columns = terminal.size(0)
                self._send("resize", rows=rows, cols=columns)

    def _send(self, kind: str, **fields: Any) -> None:
        with contextlib.suppress(ChannelClosed):
            self._link.channel.send(kind, **fields)

    def _told(self) -> bool:
        """Hear the keeper; whether it can say more."""
        try:
            messages = [message for message, _ in self._link.channel.receive()]
        except (ChannelClosed, ProtocolError):
            if self._code is None:
                raise SandboxError("the keeper of the sandbox is gone", 137) from None
            return False
        for message in messages:
            if message["kind"] == "exited":
                self._code = int(message["code"])
        return True


@contextlib.contextmanager
def _signals(passes: bool) -> Iterator[int]:
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    wanted = (*_SIGNALS, signal.SIGWINCH) if passes else (signal.SIGWINCH,)
    before = {signo: signal.signal(signo, lambda _signo, _frame: None) for signo in wanted}
    old = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(old)
        for signo, handler in before.items():
            signal.signal(signo, handler)
        os.close(reader)
        os.close(writer)
