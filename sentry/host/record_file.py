"""A file of the caller's that records are appended to. What it cannot take now is lost, and counted: nobody ever waits for it."""

import os


class RecordFile:
    """Owns ``fd``, which the caller opened with O_NONBLOCK; takes ``size_max`` bytes. A record is written whole or not at all."""

    def __init__(self, fd: int, size_max: int) -> None:
        self.lost = 0
        self._fd = fd
        self._left = size_max
        self._rest = b""  # of a record that a pipe took half of

    def write(self, record: bytes) -> bool:
        """Append a record; whether it was taken."""
        if len(record) > self._left or (self._rest and not self._flush()):
            self.lost += 1
            return False
        done = self._put(record)
        if not done:
            self.lost += 1
            return False
        self._left -= len(record)
        self._rest = record[done:]
        return True

    def _flush(self) -> bool:
        self._rest = self._rest[self._put(self._rest) :]
        return not self._rest

    def _put(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except OSError:  # full, or the reader of a pipe is slow or gone
            return 0
