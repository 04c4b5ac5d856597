"""/proc/locks: every lock on a file that some process has open (proc_locks(5))."""

from typing import TYPE_CHECKING

from sentry.vfs.lock import END, FileLocks
from sentry.vfs.mount import split_dev
from syscalls.abi.fcntl import F_WRLCK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentry.kernel.task import Task
    from sentry.vfs.inode import Inode


def locks(viewer: "Task") -> bytes:
    """One line for each lock, in no particular order."""
    lines: list[bytes] = []
    for inode in _locked_inodes(viewer):
        place = b"%02x:%02x:%d" % (*split_dev(inode.fs.dev), inode.attr.ino)
        lines += [line.replace(b"PLACE", place) for line in _lines(inode.locks)]
    return b"".join(b"%d: %b\n" % (number, line) for number, line in enumerate(lines, 1))


def _locked_inodes(viewer: "Task") -> "list[Inode]":
    seen: dict[int, Inode] = {}
    for group in list(viewer.kernel.tasks.processes()):
        for task in list(group.tasks.values())[:1] if group.is_alive else ():
            for number in task.fds.numbers():
                file = task.fds.find(number)
                if file is not None and file.inode.locks is not None:
                    seen[id(file.inode)] = file.inode
    return list(seen.values())


def _lines(held: FileLocks) -> "Iterator[bytes]":
    for is_exclusive, pid in held.flocks():
        yield b"FLOCK  ADVISORY  %b %d PLACE 0 EOF" % (_kind(is_write=is_exclusive), pid)
    for record in held.records():
        end = b"EOF" if record.end == END else b"%d" % record.end
        name = b"OFDLCK" if record.pid < 0 else b"POSIX "
        yield b"%b ADVISORY  %b %d PLACE %d %b" % (name, _kind(is_write=record.kind == F_WRLCK), record.pid, record.start, end)
    for lease in held.leases:
        state = b"ACTIVE   " if lease.target is None else b"BREAKING "
        yield b"LEASE  %b %b %d PLACE 0 EOF" % (state, _kind(is_write=lease.kind == F_WRLCK), lease.pid)


def _kind(*, is_write: bool) -> bytes:
    return b"WRITE" if is_write else b"READ "
