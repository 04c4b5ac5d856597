"""/proc/PID/exe, cwd, root and ns: links that lead to the thing itself (proc_pid_exe(5), namespaces(7))."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sentry.fs.proc.pid.target import Target
from sentry.fs.synthetic.node import DynamicDirectory, SyntheticInode
from sentry.ipc.namespace import ipc_of
from sentry.vfs.context import Path
from sentry.vfs.dentry import Dentry
from sentry.vfs.file import FileDescription
from sentry.vfs.lookup import pathname_of
from sentry.vfs.stat import Attr
from syscalls.abi.errno import EACCES, ENOENT
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFLNK, S_IFREG

if TYPE_CHECKING:
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.kernel.task import Task
    from sentry.vfs.context import OpenContext
    from sentry.vfs.inode import Inode

#: the numbers of the first namespace of each kind (Linux's initial ones have these numbers: include/uapi/linux/nsfs.h)
NAMESPACES: Final = {
    b"cgroup": (b"cgroup", 4026531835),
    b"ipc": (b"ipc", 4026531839),
    b"mnt": (b"mnt", 4026531841),
    b"net": (b"net", 4026531840),
    b"pid": (b"pid", 4026531836),
    b"pid_for_children": (b"pid", 4026531836),
    b"time": (b"time", 4026531834),
    b"time_for_children": (b"time", 4026531834),
    b"user": (b"user", 4026531837),
    b"uts": (b"uts", 4026531838),
}


class PathLink(SyntheticInode):
    """A link to a place that ``where(target)`` knows, None if there is none."""

    __slots__ = ("_where", "target")

    is_magic_link = True

    def __init__(self, fs: "SyntheticFileSystem", target: Target, attr: Attr, where: Callable[[Target], Path | None]) -> None:
        super().__init__(fs, attr)
        self.target = target
        self._where = where

    async def follow(self, task: "Task") -> Path:
        """The place. Errors: EACCES, ENOENT."""
        self.target.check_inspect(task)
        place = None if self.target.is_zombie else self._where(self.target)
        if place is None:
            raise SyscallError(ENOENT)
        return place

    async def readlink(self) -> bytes:
        """Its name for the reader. Errors: EACCES, ENOENT."""
        viewer = self.fs.viewer
        if viewer is None:
            raise SyscallError(EACCES)
        return pathname_of(await self.follow(viewer), viewer.fs.root)


def exe(fs: "SyntheticFileSystem", target: Target, attr: Attr) -> PathLink:
    """/proc/PID/exe."""
    return PathLink(fs, target, attr, lambda target: target.group.executable)


def cwd(fs: "SyntheticFileSystem", target: Target, attr: Attr) -> PathLink:
    """/proc/PID/cwd."""
    return PathLink(fs, target, attr, lambda target: target.task.fs.cwd)


def root(fs: "SyntheticFileSystem", target: Target, attr: Attr) -> PathLink:
    """/proc/PID/root."""
    return PathLink(fs, target, attr, lambda target: target.task.fs.root)


class NamespaceDirectory(DynamicDirectory):
    """/proc/PID/ns."""

    __slots__ = ("_key", "target")

    def __init__(self, fs: "SyntheticFileSystem", target: Target, attr: Attr) -> None:
        super().__init__(fs, attr)
        self.target = target
        self._key = attr.ino

    def names(self) -> list[bytes]:
        """All kinds."""
        return list(NAMESPACES)

    def find(self, name: bytes) -> "Inode | None":
        """The link of a kind."""
        known = NAMESPACES.get(name)
        if known is None or not self.target.exists:
            return None
        attr = self.fs.new_attr(S_IFLNK | 0o777, ino=self.fs.ino_of((self._key, name)))
        return self.fs.intern((self._key, name), lambda: NamespaceLink(self.fs, self.target, attr, *known))


class NamespaceInode(SyntheticInode):
    """What a link in /proc/PID/ns leads to; ``thing`` is the namespace where there are several of the ``kind`` (setns(2))."""

    __slots__ = ("kind", "thing")

    def __init__(self, fs: "SyntheticFileSystem", attr: Attr, kind: bytes, thing: object) -> None:
        super().__init__(fs, attr)
        self.kind = kind
        self.thing = thing

    async def open(self, context: "OpenContext") -> FileDescription:
        """Nothing can be read; it can be entered, and keeps the namespace."""
        return FileDescription(self, context.flags, context.path)


class NamespaceLink(SyntheticInode):
    """``net:[4026531840]``: can be compared, stat'ed, opened and entered."""

    __slots__ = ("_number", "kind", "target")

    is_magic_link = True

    def __init__(self, fs: "SyntheticFileSystem", target: Target, attr: Attr, kind: bytes, number: int) -> None:
        super().__init__(fs, attr)
        self.target = target
        self.kind = kind
        self._number = number

    def _thing(self) -> tuple[object, int]:
        """The namespace and its number."""
        task = self.target.task
        if self.kind == b"mnt":
            return task.mounts, task.mounts.id
        if self.kind == b"uts":
            return task.namespaces.uts, task.namespaces.uts.id
        if self.kind == b"ipc":
            namespace = ipc_of(task)
            return namespace, namespace.id
        return None, self._number

    async def follow(self, task: "Task") -> Path:
        """A place outside every tree. Errors: EACCES."""
        self.target.check_inspect(task)
        fs = self.fs
        thing, number = self._thing()
        attr = fs.new_attr(S_IFREG | 0o444, ino=number)
        inode = fs.intern((self.kind, thing), lambda: NamespaceInode(fs, attr, self.kind, thing))
        return Path(task.kernel.mounts.anonymous(fs), Dentry(b"%b:[%d]" % (self.kind, number), None, inode))

    async def readlink(self) -> bytes:
        """The kind and number. Errors: EACCES."""
        viewer = self.fs.viewer
        if viewer is not None:
            self.target.check_inspect(viewer)
        return b"%b:[%d]" % (self.kind, self._thing()[1])
