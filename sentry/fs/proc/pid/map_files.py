"""/proc/PID/map_files: a link for each mapping of a file (proc_pid_map_files(5)).

A link's mode tells how the file was opened; here, whether the mapping can write to it.
"""

import re
from typing import TYPE_CHECKING, Final

from sentry.fs.proc.pid.directory import refresh_owner
from sentry.fs.proc.pid.maps import mapped_files
from sentry.fs.synthetic.node import DynamicDirectory, SyntheticInode
from sentry.vfs.file import Entry
from syscalls.abi.errno import EACCES, ENOENT, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFLNK

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.kernel.task import Task
    from sentry.vfs.context import Path
    from sentry.vfs.inode import Inode
    from sentry.vfs.stat import Attr

Span = tuple[int, int]
_NUMBER: Final = rb"(0|[1-9a-fA-F][0-9a-fA-F]{0,15})"
_NAME: Final = re.compile(_NUMBER + b"-" + _NUMBER)
_LINK_SIZE: Final = 64


class MapFilesDirectory(DynamicDirectory):
    """One link for each mapping, named by its first and last address."""

    __slots__ = ("_key", "target")

    def __init__(self, fs: "SyntheticFileSystem", target: "Target", attr: "Attr") -> None:
        super().__init__(fs, attr)
        self.target = target
        self._key = attr.ino

    def files(self) -> dict[Span, tuple[bytes, bytes]]:
        """Permissions and name by addresses. Errors: EACCES for those who may not inspect the process, ENOENT it is gone."""
        viewer = self.fs.viewer
        if not self.target.exists:
            raise SyscallError(ENOENT)
        if viewer is None:
            raise SyscallError(EACCES)
        self.target.check_inspect(viewer)
        return mapped_files(viewer, self.target)

    def names(self) -> list[bytes]:
        """In order of the addresses. Errors: EACCES, ENOENT."""
        return [b"%x-%x" % span for span in self.files()]

    def find(self, name: bytes) -> "Inode | None":
        """The link of a mapping. Errors: EACCES, ENOENT."""
        files = self.files()
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        span = (int(found[1], 16), int(found[2], 16))
        return self._link(span, files[span][0]) if span in files else None

    async def read_children(self) -> list[Entry]:
        """All links, from one look at the table. Errors: EACCES, ENOENT."""
        links = ((b"%x-%x" % span, self._link(span, permissions)) for span, (permissions, _) in self.files().items())
        return [Entry(name, link.attr.ino, S_IFLNK >> 12, link) for name, link in links]

    def _link(self, span: Span, permissions: bytes) -> "MapFileLink":
        key = (self._key, span)
        link = self.fs.intern(key, lambda: MapFileLink(self, span, self.fs.new_attr(S_IFLNK, ino=self.fs.ino_of(key))))
        link.attr.mode = S_IFLNK | (0o600 if permissions[1:2] == b"w" and permissions[3:] == b"s" else 0o400)
        link.attr.size = _LINK_SIZE
        refresh_owner(link.attr, self.target)
        return link


class MapFileLink(SyntheticInode):
    """Tells which file is mapped. It leads nowhere for whoever is not privileged on the host, as no guest is."""

    __slots__ = ("_directory", "_span")

    is_magic_link = True

    def __init__(self, directory: MapFilesDirectory, span: Span, attr: "Attr") -> None:
        super().__init__(directory.fs, attr)
        self._directory = directory
        self._span = span

    async def follow(self, task: "Task") -> "Path":
        """Errors: EPERM."""
        raise SyscallError(EPERM)

    async def readlink(self) -> bytes:
        """The file's name. Errors: EACCES, ENOENT it is mapped no more."""
        files = self._directory.files()
        if self._span not in files:
            raise SyscallError(ENOENT)
        return files[self._span][1]
