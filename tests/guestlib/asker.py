"""Asks every kind of object in a sandbox for words of ``tests/refusals.py``: prints by table and word the errors, if all are."""

import ctypes
import json
import mmap
import os
import pty
import socket
import sys
from typing import Any


def main() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(256)
    kinds = [(2, 1), (2, 2), (10, 1), (10, 2), (1, 1), (1, 2), (16, 3)]
    levels = {"": 1, " of IPv4": 0, " of IPv6": 41, " of TCP": 6, " of UDP": 17}
    prctl, memfd_create, madvise, unshare = 157, 319, 28, 272

    def tried(*words: Any) -> int:
        """The error of a system call, 0 for success; words of 64 bits."""
        ctypes.set_errno(0)
        done = libc.syscall(*(ctypes.c_long(word) if isinstance(word, int) else word for word in words))
        return ctypes.get_errno() if done == -1 else 0

    def options(level: int, name: int) -> set[int]:
        found = set()
        for family, kind in kinds:
            with socket.socket(family, kind) as one:
                length = ctypes.c_int(4)
                found.add(tried(55, one.fileno(), level, name, room, ctypes.byref(length)))
                for value in (0, 1):
                    found.add(tried(54, one.fileno(), level, name, ctypes.byref(ctypes.c_int(value)), 4))
        return found

    def sockets(*arguments: int) -> int:
        try:
            socket.socket(*arguments).close()
        except OSError as error:
            return error.errno or 0
        return 0

    master, slave = pty.openpty()
    files = [os.memfd_create("x"), os.open("/dev/null", 2), os.open("/tmp", 0), *os.pipe(), master, slave]
    files += [socket.socket(*kind).detach() for kind in kinds]
    memory = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))

    def answers(title: str, value: int) -> set[int]:
        if title.startswith("socket options"):
            return options(levels[title.removeprefix("socket options")], value)
        if title == "ioctl requests":
            return {tried(16, fd, value, room) for fd in files}
        if title == "fcntl commands":
            return {tried(72, fd, value, room) for fd in files}
        if title == "prctl options":
            return {tried(prctl, value, first, 0, 0, 0) for first in (0, 1)} | {tried(prctl, value, room, 0, 0, 0)}
        if title == "socket families":
            return {sockets(value, kind) for kind in (1, 2, 3)}
        if title == "socket types":
            return {sockets(family, value) for family in (1, 2, 10, 16)}
        if title == "clone flags":
            return {tried(unshare, value)} if value & 0x7E020000 else {0}
        if title == "madvise advice":
            return {tried(madvise, address, 4096, value)}
        if title == "memfd flags":
            return {tried(memfd_create, b"x", value)}
        return {0}

    found: dict[str, dict[str, list[int]]] = {}
    for title, words in json.load(sys.stdin).items():
        for word, value in words.items():
            errors = answers(title, value)
            if 0 not in errors:
                found.setdefault(title, {})[word] = sorted(errors)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
