"""Directories in memory."""

from typing import TYPE_CHECKING

from sentry.fs.tmpfs.node import Node
from sentry.vfs.file import Entry
from sentry.vfs.inode import Inode
from sentry.vfs.stat import Attr
from syscalls.abi.errno import EEXIST, ENOENT, ENOTEMPTY, ESTALE, EXDEV
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import RENAME_EXCHANGE
from syscalls.abi.stat import S_IFDIR, S_IFMT

if TYPE_CHECKING:
    from sentry.fs.tmpfs.filesystem import TmpFileSystem

# what Linux's tmpfs counts for an entry in st_size
_ENTRY_SIZE = 20


class Directory(Node):
    """Names to nodes, in order of creation. Subclasses may have more below; they say so in ``_find`` and ``_is_empty``."""

    __slots__ = ("children",)

    def __init__(self, fs: "TmpFileSystem", attr: Attr) -> None:
        super().__init__(fs, attr)
        self.children: dict[bytes, Node | None] = {}

    async def lookup(self, name: bytes) -> Inode | None:
        """The child or None."""
        return self.children.get(name)

    async def lookup_many(self, names: list[bytes]) -> list[Inode | None]:
        """As many as can be answered without waiting after the first: an earlier answer must not grow old."""
        node = await self.lookup(names[0])
        found = [node]
        for name in names[1:]:
            if type(node) is not Directory:
                break
            node = node.children.get(name)
            found.append(node)
        return found

    async def read_children(self) -> list[Entry]:
        """All entries."""
        return [
            Entry(name, node.attr.ino, (node.attr.mode & S_IFMT) >> 12, node)
            for name, node in self.children.items()
            if node is not None
        ]

    async def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> Inode:
        """A file, FIFO, socket or device node."""
        await self._check_absent(name)
        return self._add(name, self.fs.make(mode, uid, gid, rdev=rdev))

    async def mkdir(self, name: bytes, mode: int, uid: int, gid: int) -> Inode:
        """An empty directory."""
        await self._check_absent(name)
        node = self._add(name, self.fs.make(mode, uid, gid))
        self._count(1)
        return node

    async def symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> Inode:
        """A symbolic link."""
        await self._check_absent(name)
        return self._add(name, self.fs.make_symlink(target, uid, gid))

    async def link(self, name: bytes, inode: Inode) -> None:
        """One more name for ``inode``. Errors: EXDEV, EEXIST."""
        if not isinstance(inode, Node) or inode.fs is not self.fs:
            raise SyscallError(EXDEV)
        await self._check_absent(name)
        if inode.attr.nlink == 0 and not inode.is_linkable:
            raise SyscallError(ENOENT)
        inode.add_link(1)
        self._add(name, inode)

    async def unlink(self, name: bytes, inode: Inode) -> None:
        """Remove a name. Errors: ESTALE if it is another's by now."""
        assert isinstance(inode, Node)
        self._check_holds(name, inode)
        self._take(name)
        inode.add_link(-1)

    async def rmdir(self, name: bytes, inode: Inode) -> None:
        """Remove an empty directory. Errors: ENOTEMPTY, ESTALE."""
        assert isinstance(inode, Directory)
        await inode.check_empty()
        self._check_holds(name, inode)
        self._take(name)
        inode.add_link(-inode.attr.nlink)
        self._count(-1)

    async def rename(self, name: bytes, inode: Inode, to: Inode, to_name: bytes, replaced: Inode | None, flags: int) -> None:
        """Move or exchange. Errors: ENOTEMPTY, EXDEV, ESTALE (the names are others' by now), ENOENT (``to`` is gone)."""
        if not isinstance(to, Directory) or to.fs is not self.fs or not isinstance(inode, Node):
            raise SyscallError(EXDEV)
        if isinstance(replaced, Directory) and not flags & RENAME_EXCHANGE:
            await replaced.check_empty()
        # Nothing below waits: the checks hold until all is done.
        self._check_holds(name, inode)
        to._check_holds(to_name, replaced)
        if to.attr.nlink == 0:
            raise SyscallError(ENOENT)
        if flags & RENAME_EXCHANGE:
            assert isinstance(replaced, Node)
            self._put_over(name, replaced)
            to._put_over(to_name, inode)
            change = _is_directory(replaced) - _is_directory(inode)
            self._count(change)
            to._count(-change)
            inode.add_link(0)
            replaced.add_link(0)
            return
        if replaced is not None:
            assert isinstance(replaced, Node)
            is_directory = _is_directory(replaced)
            to._take(to_name)
            to._count(-is_directory)
            replaced.add_link(-replaced.attr.nlink if is_directory else -1)
        self._take(name)
        to._add(to_name, inode)
        is_directory = _is_directory(inode)
        self._count(-is_directory)
        to._count(is_directory)
        inode.add_link(0)

    async def tmpfile(self, mode: int, uid: int, gid: int) -> Inode:
        """A file without a name."""
        node = self.fs.make(mode, uid, gid)
        node.attr.nlink = 0
        return node

    async def check_empty(self) -> None:
        """Errors: ENOTEMPTY."""
        if any(child is not None for child in self.children.values()):
            raise SyscallError(ENOTEMPTY)

    async def _check_absent(self, name: bytes) -> None:
        """Errors: EEXIST, ENOENT if this directory itself is gone."""
        if self.attr.nlink == 0:
            raise SyscallError(ENOENT)
        if self.children.get(name) is not None:
            raise SyscallError(EEXIST)

    def _add(self, name: bytes, node: Node) -> Node:
        self._put(name, node)
        self.attr.size += _ENTRY_SIZE
        return node

    def _put(self, name: bytes, node: Node) -> None:
        self._own()
        self.children[name] = node
        self.touch()

    def _put_over(self, name: bytes, node: Node) -> None:
        """``node`` takes the place of another (RENAME_EXCHANGE)."""
        self._put(name, node)

    def _count(self, change: int) -> None:
        """Subdirectories more or less; a lower file system that does not count them shows nlink 1."""
        if self.attr.nlink > 1:
            self.attr.nlink = max(2, self.attr.nlink + change)

    def _check_holds(self, name: bytes, expected: Inode | None) -> None:
        """What the caller has looked up is still true. Errors: ESTALE, on which the VFS begins again."""
        if self.children.get(name) is not expected:
            raise SyscallError(ESTALE)

    def _take(self, name: bytes) -> None:
        self._own()
        del self.children[name]
        self.attr.size -= _ENTRY_SIZE
        self.touch()


def _is_directory(inode: Inode) -> int:
    return int(inode.attr.mode & S_IFMT == S_IFDIR)
