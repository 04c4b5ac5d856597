"""Where a guest process has a host file mapped, from the host's table of its mappings (proc_pid_maps(5))."""

from typing import NamedTuple

from sentry.host.procfs import read_thread


class Mapping(NamedTuple):
    """Addresses from ``start`` to below ``end`` show the file from ``offset`` on, in bytes."""

    start: int
    end: int
    offset: int


def mappings_of(host_tid: int, identity: tuple[int, int]) -> list[Mapping]:
    """All mappings of the file with this device and inode number; none when the process is gone. Errors: EACCES, EIO."""
    device, ino = identity
    major, minor = (device >> 8 & 0xFFF) | (device >> 32 & ~0xFFF), (device & 0xFF) | (device >> 12 & ~0xFF)
    wanted = b" %02x:%02x %d " % (major, minor, ino)
    found = []
    for line in (read_thread(host_tid, "maps") or b"").splitlines():
        if wanted in line + b" ":
            span, _, offset, _ = line.split(b" ", 3)
            start, _, end = span.partition(b"-")
            found.append(Mapping(int(start, 16), int(end, 16), int(offset, 16)))
    return found
