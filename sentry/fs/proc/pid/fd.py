"""/proc/PID/fd and /proc/PID/fdinfo (proc_pid_fd(5), proc_pid_fdinfo(5))."""

from typing import TYPE_CHECKING

from sentry.fs.proc.pid.directory import refresh_owner
from sentry.fs.proc.pid.target import Target
from sentry.fs.synthetic.generated import GeneratedFile
from sentry.fs.synthetic.node import DynamicDirectory, SyntheticInode
from sentry.vfs.lookup import pathname_of, place_of
from sentry.vfs.stat import Attr
from syscalls.abi.errno import EACCES, ENOENT
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_CLOEXEC
from syscalls.abi.stat import S_IFLNK, S_IFREG

if TYPE_CHECKING:
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.kernel.task import Task
    from sentry.vfs.context import Path
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import Inode

_LINK_SIZE = 64


class DescriptorDirectory(DynamicDirectory):
    """One entry for each open descriptor; only those who may inspect the process see any."""

    __slots__ = ("_key", "target")

    def __init__(self, fs: "SyntheticFileSystem", target: Target, attr: Attr) -> None:
        super().__init__(fs, attr)
        self.target = target
        self._key = attr.ino

    def names(self) -> list[bytes]:
        """The open numbers in order. Errors: EACCES."""
        self._check()
        return [b"%d" % number for number in self.target.task.fds.numbers()]

    def find(self, name: bytes) -> "Inode | None":
        """The entry of a number. Errors: EACCES."""
        self._check()
        if not name.isdigit() or (name[:1] == b"0" and len(name) > 1):
            return None
        number = int(name)
        if self.target.task.fds.find(number) is None:
            return None
        inode = self.fs.intern((self._key, number), lambda: self._make(number))
        refresh_owner(inode.attr, self.target)
        return inode

    def _check(self) -> None:
        if not self.target.exists:
            raise SyscallError(ENOENT)
        viewer = self.fs.viewer
        if viewer is not None and viewer.group is not self.target.group:
            self.target.check_inspect(viewer)

    def _make(self, number: int) -> SyntheticInode:
        raise NotImplementedError


class FdDirectory(DescriptorDirectory):
    """/proc/PID/fd."""

    __slots__ = ()

    def _make(self, number: int) -> SyntheticInode:
        attr = self.fs.new_attr(S_IFLNK, ino=self.fs.ino_of((self._key, number)))
        attr.size = _LINK_SIZE
        return FdLink(self.fs, self.target, number, attr)

    def find(self, name: bytes) -> "Inode | None":
        """The link, with the bits that say how the file was opened."""
        inode = super().find(name)
        if inode is not None:
            file = self.target.task.fds.find(int(name))
            assert file is not None
            readable, writable = (file.is_readable, file.is_writable)
            inode.attr.mode = S_IFLNK | (0o500 if readable else 0) | (0o300 if writable else 0)
        return inode


class FdLink(SyntheticInode):
    """/proc/PID/fd/N: leads to the open file itself, whatever its name says by now."""

    __slots__ = ("number", "target")

    is_magic_link = True

    def __init__(self, fs: "SyntheticFileSystem", target: Target, number: int, attr: Attr) -> None:
        super().__init__(fs, attr)
        self.target = target
        self.number = number

    def _file(self) -> "FileDescription":
        file = self.target.task.fds.find(self.number) if self.target.exists else None
        if file is None:
            raise SyscallError(ENOENT)
        return file

    async def follow(self, task: "Task") -> "Path":
        """The place of the open file. Errors: ENOENT, EACCES."""
        if task.group is not self.target.group:
            self.target.check_inspect(task)
        return place_of(task, self._file())

    async def readlink(self) -> bytes:
        """Its name, or ``pipe:[7]`` and the like. Errors: ENOENT, EACCES."""
        file = self._file()
        viewer = self.fs.viewer
        if viewer is None:
            raise SyscallError(EACCES)
        if viewer.group is not self.target.group:
            self.target.check_inspect(viewer)
        return file.describe() if file.path is None else pathname_of(file.path, viewer.fs.root)


class FdInfoDirectory(DescriptorDirectory):
    """/proc/PID/fdinfo."""

    __slots__ = ()

    def _make(self, number: int) -> SyntheticInode:
        attr = self.fs.new_attr(S_IFREG | 0o444, ino=self.fs.ino_of((self._key, number)))
        return GeneratedFile(self.fs, lambda viewer: fdinfo(viewer, self.target, number), attr=attr)


def fdinfo(viewer: "Task", target: Target, number: int) -> bytes:
    """Position, flags, mount, inode, and what the object adds. Errors: ENOENT, EACCES."""
    if viewer.group is not target.group:
        target.check_inspect(viewer)
    fds = target.task.fds
    file = fds.find(number) if target.exists else None
    if file is None:
        raise SyscallError(ENOENT)
    flags = file.flags | (O_CLOEXEC if fds.is_cloexec(number) else 0)
    mount_id = file.path.mount.id if file.path is not None else 0
    text = b"pos:\t%d\nflags:\t0%o\nmnt_id:\t%d\nino:\t%d\n" % (file.offset, flags, mount_id, file.inode.attr.ino)
    return text + file.fdinfo()
