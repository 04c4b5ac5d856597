"""The output of a detached sandbox: lines of ``TIME stdout|stderr F|P TEXT`` (the format that Kubernetes and podman use).

F ends a line, P is a part of one. When the file has reached its size it becomes ``log.1`` and a new one begins.
"""

import os
import time
from collections.abc import Iterator

LOG_MAX = 16 << 20
LINE_MAX = 16 << 10
NAME = "log"


class LogWriter:
    """Writes what arrives on one or two streams."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, NAME)
        self._open()

    def _open(self) -> None:
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._fd).st_size

    def write(self, stream: bytes, data: bytes) -> None:
        """Add ``data``, one record a line. Raises OSError."""
        now = time.time_ns()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 1_000_000_000)) + f".{now % 1_000_000_000:09d}Z"
        head = stamp.encode() + b" " + stream
        out = bytearray()
        for line in _lines(data):
            for at in range(0, len(line), LINE_MAX):
                piece = line[at : at + LINE_MAX]
                out += head + (b" F " + piece if piece.endswith(b"\n") else b" P " + piece + b"\n")
        os.write(self._fd, out)
        self._size += len(out)
        if self._size >= LOG_MAX:
            os.close(self._fd)
            os.rename(self._path, f"{self._path}.1")
            self._open()


def _lines(data: bytes) -> list[bytes]:
    return [line + b"\n" for line in data.split(b"\n")[:-1]] + ([rest] if (rest := data.rpartition(b"\n")[2]) else [])


def records(folder: str) -> Iterator[tuple[str, int, bytes]]:
    """(time, stream number, text with its newline if it ends a line) of what has been written so far."""
    for name in (f"{NAME}.1", NAME):
        try:
            with open(os.path.join(folder, name), "rb") as file:
                yield from parsed(file.readlines())
        except FileNotFoundError:
            continue


def parsed(lines: "list[bytes]") -> Iterator[tuple[str, int, bytes]]:
    """The records of whole lines of the file."""
    for line in lines:
        stamp, stream, mark, text = [*line.split(b" ", 3), b"", b"", b""][:4]
        yield stamp.decode("ascii", "replace"), 2 if stream == b"stderr" else 1, text if mark == b"F" else text[:-1]
