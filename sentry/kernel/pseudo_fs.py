"""The file systems that nobody mounts: pipes, sockets and anonymous inodes live in them (Linux: fs/libfs.c, alloc_anon_inode).

They only give inodes a device number and an inode number, and /proc/PID/fd its text.
"""

from typing import Final

from sentry.vfs.inode import FileSystem
from sentry.vfs.stat import StatFs

# High minors: the mount table numbers its file systems from 0:1 upward.
_DEV_SOCKETS: Final = 0xF8
_DEV_PIPES: Final = 0xFD
_DEV_ANON: Final = 0xFE


class PseudoFileSystem(FileSystem):
    """One of them; inode numbers count upward and are never used twice."""

    def __init__(self, dev: int, name: bytes, magic: int) -> None:
        super().__init__(dev)
        self.name = name
        self._magic = magic
        self._last_ino = 0

    def next_ino(self) -> int:
        """A fresh inode number."""
        self._last_ino += 1
        return self._last_ino

    async def statfs(self) -> StatFs:
        """fstatfs(2) of a pipe or socket: only the type says something."""
        return StatFs(type=self._magic)


class PseudoFileSystems:
    """The instances of a kernel; the magic numbers are linux/magic.h's. ``memory`` holds memfds, made with the first one."""

    __slots__ = ("anon", "memory", "pipes", "sockets")

    def __init__(self) -> None:
        self.memory: FileSystem | None = None
        self.sockets = PseudoFileSystem(_DEV_SOCKETS, b"sockfs", 0x534F434B)
        self.pipes = PseudoFileSystem(_DEV_PIPES, b"pipefs", 0x50495045)
        self.anon = PseudoFileSystem(_DEV_ANON, b"anon_inodefs", 0x09041934)
