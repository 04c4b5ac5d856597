"""How much memory the guests have touched, as the host tells without a control group (proc_pid_status(5), proc_pid_smaps(5))."""

import os
import time
from collections.abc import Iterable

_SHARED_ANONYMOUS = b"/dev/zero (deleted)"
_KIB = 10
#: A sum is used again until this many times its own cost has passed: counting never takes more than a tenth of the time.
_PATIENCE = 10


class Resident:
    """Sums the memory of processes, again only when the last sum is old enough."""

    def __init__(self, proc_fd: int) -> None:
        self._proc_fd = proc_fd
        self._bytes = 0
        self._valid_until_ns = 0

    def total(self, processes: Iterable[int], limit: int) -> int:
        """Return the bytes that ``processes`` (host numbers) have touched and that are no file's.

        Up to ``limit`` a quick sum suffices, in which shared pages count for each process, and mapped tmpfs files too, which are
        charged elsewhere; a sum above it is made again without them.
        """
        begin = time.monotonic_ns()
        if begin >= self._valid_until_ns:
            numbers = list(processes)
            self._bytes = sum(self._quick(pid) for pid in numbers)
            if self._bytes > limit:
                self._bytes = sum(self._exact(pid) for pid in numbers)
            end = time.monotonic_ns()
            self._valid_until_ns = end + _PATIENCE * (end - begin)
        return self._bytes

    def _quick(self, pid: int) -> int:
        text = self._read(pid, "status")
        return _field(text, b"\nRssAnon:") + _field(text, b"\nRssShmem:")

    def _exact(self, pid: int) -> int:
        """Proportional shares: a page that five processes share counts for a fifth in each."""
        text = self._read(pid, "smaps_rollup")
        total = _field(text, b"\nPss_Anon:")
        if _field(text, b"\nPss_Shmem:"):
            _, *mappings = self._read(pid, "smaps").split(_SHARED_ANONYMOUS)
            total += sum(_field(mapping, b"\nPss:") for mapping in mappings)
        return total

    def _read(self, pid: int, name: str) -> bytes:
        try:
            fd = os.open(f"{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc_fd)
            with open(fd, "rb", buffering=0) as file:
                return file.read()
        except OSError:
            return b""  # it is gone


def _field(text: bytes, name: bytes) -> int:
    at = text.find(name)
    return int(text[at + len(name) :].split(None, 1)[0]) << _KIB if at >= 0 else 0
