"""Directories and symbolic links of a synthetic file system."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sentry.vfs.file import Entry
from sentry.vfs.inode import Inode
from sentry.vfs.stat import Attr, SetAttr
from syscalls.abi.errno import EACCES, ENOENT, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFMT

if TYPE_CHECKING:
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.kernel.task import Task


def type_of(inode: Inode) -> int:
    """The DT_ type of an inode."""
    return (inode.attr.mode & S_IFMT) >> 12


class SyntheticInode(Inode):
    """Nobody may change what the sentry makes up."""

    __slots__ = ()

    fs: "SyntheticFileSystem"

    async def setattr(self, change: SetAttr) -> None:
        """O_TRUNC is accepted and changes nothing, as in proc(5). Errors: EPERM for anything else."""
        if change.mode is not None or change.uid is not None or change.gid is not None:
            raise SyscallError(EPERM)


class Directory(SyntheticInode):
    """A directory with fixed children."""

    __slots__ = ("children",)

    def __init__(self, fs: "SyntheticFileSystem", attr: Attr | None = None, mode: int = 0o555) -> None:
        super().__init__(fs, attr or fs.new_attr(S_IFDIR | mode, nlink=2))
        self.children: dict[bytes, Inode] = {}

    def add(self, name: bytes, child: Inode) -> None:
        """Enter ``child``; a directory below counts as a link to this one."""
        self.children[name] = child
        if child.attr.mode & S_IFMT == S_IFDIR:
            self.attr.nlink += 1

    async def lookup(self, name: bytes) -> Inode | None:
        """The child of that name."""
        return self.children.get(name)

    async def read_children(self) -> list[Entry]:
        """All children in order of entry."""
        return [Entry(name, child.attr.ino, type_of(child)) for name, child in self.children.items()]

    async def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> Inode:
        """Nothing can be made here."""
        raise SyscallError(EACCES if self.fs.file_size else ENOENT)

    async def mkdir(self, name: bytes, mode: int, uid: int, gid: int) -> Inode:
        """Nor directories."""
        raise SyscallError(EPERM if self.fs.file_size else ENOENT)


class DynamicDirectory(Directory):
    """A directory whose children come and go: every walk asks ``find``, every listing ``names``; fixed children first."""

    __slots__ = ()

    is_cacheable = False

    def find(self, name: bytes) -> Inode | None:
        """The inode for ``name`` now, or None."""
        raise NotImplementedError

    def names(self) -> list[bytes]:
        """The names there are now, in order."""
        raise NotImplementedError

    async def lookup(self, name: bytes) -> Inode | None:
        """A fixed child, or what ``find`` knows."""
        return self.children.get(name) or self.find(name)

    async def read_children(self) -> list[Entry]:
        """Fixed children, then the others."""
        entries = await super().read_children()
        for name in self.names():
            child = self.find(name)
            if child is not None:
                entries.append(Entry(name, child.attr.ino, type_of(child), child))
        return entries


class Link(SyntheticInode):
    """A symbolic link with a fixed text, or one that depends on who reads it."""

    __slots__ = ("_text",)

    def __init__(
        self, fs: "SyntheticFileSystem", text: "bytes | Callable[[Task | None], bytes]", attr: Attr | None = None
    ) -> None:
        super().__init__(fs, attr or fs.new_attr(S_IFLNK | 0o777))
        self._text = text
        if isinstance(text, bytes):
            self.link_text = text

    async def readlink(self) -> bytes:
        """The text. Errors: ENOENT when it would lead nowhere."""
        text = self._text
        return text if isinstance(text, bytes) else text(self.fs.viewer)
