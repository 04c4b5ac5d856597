"""The standard streams of a sandbox that a keeper holds: into the log, and to everybody who is attached.

An attachment is a stream socket. To the caller it carries frames (stream number, length in 4 bytes, data); from the caller the
program's input as it is, whose end closes the program's input if the caller said so.
"""

import contextlib
import os
import select
from _socket import MSG_DONTWAIT, MSG_NOSIGNAL, SHUT_RD, socket
from struct import Struct

from sandboxctl.state.log_file import LogWriter

FRAME = Struct("<BI")
BACKLOG_MAX = 8 << 20
_CHUNK = 1 << 16
_LAST_WORDS_MS = 2000
_NAMES = {1: b"stdout", 2: b"stderr"}


class Attachment:
    """One caller who listens and may type."""

    def __init__(self, fd: int, *, types: bool, closes: bool) -> None:
        self.socket = socket(fileno=fd)
        self.types = types
        self.closes = closes
        self.backlog = bytearray()

    def events(self, *, may_type: bool) -> int:
        """What to poll for."""
        return (select.POLLIN if self.types and may_type else 0) | (select.POLLOUT if self.backlog else 0)

    def put(self, number: int, data: bytes) -> bool:
        """Send or keep ``data``; False if the caller reads too slowly or not at all."""
        self.backlog += FRAME.pack(number, len(data)) + data
        return self.flush() and len(self.backlog) <= BACKLOG_MAX

    def flush(self) -> bool:
        """Send what the socket takes; whether there is still somebody."""
        try:
            while self.backlog:
                del self.backlog[: self.socket.send(self.backlog[:_CHUNK], MSG_DONTWAIT | MSG_NOSIGNAL)]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


class Streams:
    """Pipes to and from one program. ``open`` makes them anew for every start."""

    def __init__(self, folder: str, *, has_input: bool, is_terminal: bool) -> None:
        self._log = LogWriter(folder)
        self._has_input = has_input
        self._is_terminal = is_terminal
        self._outputs: dict[int, int] = {}
        self._input = -1
        self._typed = bytearray()
        self._attachments: dict[int, Attachment] = {}

    def open(self) -> dict[int, int]:
        """Descriptors for the program's 0, 1 and 2; the caller closes them."""
        theirs = {}
        for number in (1,) if self._is_terminal else (1, 2):
            ours, theirs[number] = os.pipe2(os.O_CLOEXEC)
            self._outputs[ours] = number
        if self._has_input:
            theirs[0], self._input = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(self._input, False)
        return theirs

    def attach(self, fd: int, *, types: bool, closes: bool) -> None:
        """Take a caller's socket, which is ours from now on."""
        self._attachments[fd] = Attachment(fd, types=types and self._has_input, closes=closes)

    def watched(self) -> dict[int, int]:
        """What to poll for which events."""
        found: dict[int, int] = dict.fromkeys(self._outputs, select.POLLIN)
        if self._typed:
            found[self._input] = select.POLLOUT
        for fd, attachment in self._attachments.items():
            found[fd] = attachment.events(may_type=not self._typed)
        return found

    def ready(self, fd: int, revents: int) -> bool:
        """Act on a descriptor of ``watched``; False if it is none of ours."""
        if fd in self._outputs:
            self._copy(fd)
        elif fd in self._attachments:
            self._serve(fd, has_left=bool(revents & (select.POLLHUP | select.POLLERR)))
        elif fd == self._input:
            self._write_input()
        else:
            return False
        return True

    def note(self, line: str) -> None:
        """A line of ours for the log."""
        with contextlib.suppress(OSError):
            self._log.write(b"stderr", f"sandboxctl: {line}\n".encode("utf-8", "backslashreplace"))

    def drain(self) -> None:
        """The program is gone: copy what it wrote before, and close its pipes."""
        for fd in list(self._outputs):
            while self._copy(fd):
                pass
        self._close_input()

    def close(self) -> None:
        """Let everybody who is attached hear the end."""
        for attachment in self._attachments.values():
            poll = select.poll()
            poll.register(attachment.socket.fileno(), select.POLLOUT)
            while attachment.backlog and poll.poll(_LAST_WORDS_MS) and attachment.flush():
                pass
            attachment.socket.close()
        self._attachments.clear()

    def _copy(self, fd: int) -> bool:
        data = os.read(fd, _CHUNK)
        if not data:
            os.close(fd)
            del self._outputs[fd]
            return False
        number = self._outputs[fd]
        with contextlib.suppress(OSError):  # a full disk loses the log, not the sandbox
            self._log.write(_NAMES[number], data)
        for key in [key for key, attachment in self._attachments.items() if not attachment.put(number, data)]:
            self._drop(key)
        return True

    def _serve(self, fd: int, *, has_left: bool) -> None:
        attachment = self._attachments[fd]
        if not attachment.flush() or (has_left and not attachment.types):
            self._drop(fd)
            return
        if not attachment.types or self._typed:
            return
        try:
            data = attachment.socket.recv(_CHUNK, MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            self._drop(fd)
            return
        if data:
            self._typed += data
            self._write_input()
            return
        attachment.types = False
        with contextlib.suppress(OSError):
            attachment.socket.shutdown(SHUT_RD)
        if attachment.closes:
            self._close_input()

    def _write_input(self) -> None:
        if self._input < 0:
            self._typed.clear()
            return
        try:
            while self._typed:
                del self._typed[: os.write(self._input, self._typed[:_CHUNK])]
        except BlockingIOError:
            return
        except OSError:  # nobody reads any more
            self._close_input()

    def _close_input(self) -> None:
        self._typed.clear()
        if self._input >= 0:
            os.close(self._input)
            self._input = -1

    def _drop(self, fd: int) -> None:
        self._attachments.pop(fd).socket.close()
