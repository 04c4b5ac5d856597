"""Objects of a stacked overlay: what is in the upper layer, or else shines through from below; a change makes a copy."""

from dataclasses import replace
from typing import TYPE_CHECKING

from sentry.fs.stacked.copy import copy_attributes, copy_contents
from sentry.fs.stacked.layer import inode_at, move, remove
from sentry.vfs.dentry import Dentry
from sentry.vfs.inode import Inode
from sentry.vfs.stat import SetAttr
from syscalls.abi.errno import ENODATA, EOPNOTSUPP, EROFS
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_ACCMODE, O_TRUNC
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from sentry.fs.stacked.directory import StackedDirectory
    from sentry.fs.stacked.filesystem import StackedFileSystem
    from sentry.vfs.acl import Acl
    from sentry.vfs.context import OpenContext
    from sentry.vfs.file import FileDescription
    from sentry.vfs.stat import Attr

#: a place in a lower layer: which one, and the dentry there
Lower = tuple[int, Dentry]


class StackedNode(Inode):
    """One object. ``upper`` is its place in the writable layer, ``lowers`` those below, the topmost first."""

    __slots__ = ("ino", "is_gone", "lowers", "name", "parent", "upper")

    fs: "StackedFileSystem"

    def __init__(
        self,
        fs: "StackedFileSystem",
        upper: "Dentry | None",
        lowers: tuple[Lower, ...],
        parent: "StackedDirectory | None",
        name: bytes,
    ) -> None:
        self.upper = upper
        self.lowers = lowers
        self.parent = parent
        self.name = name
        self.is_gone = False  # its name was removed while it was still that of below
        shown = inode_at(lowers[0][1] if lowers and parent is not None else self.place)
        self.ino = fs.ino_of(shown)
        super().__init__(fs, shown.attr)

    @property
    def place(self) -> Dentry:
        """Where the contents are now."""
        return self.upper if self.upper is not None else self.lowers[0][1]

    def is_copied(self) -> bool:
        """Whether it is in the upper layer."""
        return self.upper is not None

    @property
    def real(self) -> Inode:
        """Whose contents these are now."""
        return inode_at(self.place)

    @property
    def attr(self) -> "Attr":
        """Those of the layer, under this file system's number. As on Linux, a merged folder counts no links."""
        attr = self.real.attr
        nlink = attr.nlink
        if attr.mode & S_IFMT == S_IFDIR and nlink and self.lowers:
            if self.is_gone:
                nlink = 0
            elif self.upper is not None or len(self.lowers) > 1:
                nlink = 1
        return attr if attr.ino == self.ino and attr.nlink == nlink else replace(attr, ino=self.ino, nlink=nlink)

    @attr.setter
    def attr(self, value: "Attr") -> None:
        """The layers keep them."""

    async def getattr(self) -> "Attr":
        """Those of the layer, which may have to be asked."""
        await self.real.getattr()
        return self.attr

    async def setattr(self, change: SetAttr) -> None:
        """Copies up first. Errors: EROFS, ENOSPC."""
        await self.copy_up(change.size)
        await self.real.setattr(change)

    async def readlink(self) -> bytes:
        """The text of the layer."""
        real = self.real
        return real.link_text if real.link_text is not None else await real.readlink()

    async def open(self, context: "OpenContext") -> "FileDescription":
        """A reader gets what is there now; a writer the copy. Errors: EROFS, ENOSPC."""
        if self.real.attr.mode & S_IFMT != S_IFREG:
            return await super().open(context)
        if context.flags & (O_ACCMODE | O_TRUNC):
            await self.copy_up(0 if context.flags & O_TRUNC else None)
        file = await self.real.open(context)
        file.inode, file.path = self, context.path
        return file

    def open_now(self, context: "OpenContext") -> "FileDescription | None":
        """A reader of a file that is at hand, and directories."""
        if self.real.attr.mode & S_IFMT != S_IFREG:
            return super().open_now(context)
        file = None if context.flags & (O_ACCMODE | O_TRUNC) else self.real.open_now(context)
        if file is not None:
            file.inode, file.path = self, context.path
        return file

    async def getxattr(self, name: bytes) -> bytes:
        """The layer's; what the overlay itself writes there is not shown. Errors: ENODATA, EOPNOTSUPP."""
        return await self.real.getxattr(self.fs.escaped(name))

    async def listxattr(self) -> list[bytes]:
        """The layer's, without the overlay's own."""
        shown = [self.fs.unescaped(name) for name in await self.real.listxattr()]
        return [name for name in shown if name]

    async def setxattr(self, name: bytes, value: bytes, flags: int) -> None:
        """Copies up first. Errors: as the layer says."""
        await self.copy_up()
        await self.real.setxattr(self.fs.escaped(name), value, flags)

    async def removexattr(self, name: bytes) -> None:
        """Copies up first. Errors: ENODATA."""
        try:
            await self.getxattr(name)
        except SyscallError as error:
            if error.errno in (ENODATA, EOPNOTSUPP):
                raise
        await self.copy_up()
        await self.real.removexattr(self.fs.escaped(name))

    def supports_acls(self) -> bool:
        """As the layer says."""
        return self.real.supports_acls()

    async def set_acl(self, name: bytes, acl: "Acl | None") -> None:
        """Copies up first. Errors: as the layer says."""
        await self.copy_up()
        await self.real.set_acl(name, acl)

    async def copy_up(self, limit: int | None = None) -> None:
        """Be in the upper layer; of a file ``limit`` bytes are enough. Errors: EROFS without such a layer, ENOSPC."""
        if self.is_copied():
            return
        work, cache = self.fs.work, self.fs.cache
        if work is None or self.parent is None:
            raise SyscallError(EROFS)
        await self.parent.copy_up()
        copy = await self._copy_to(work, limit)
        parent = self.parent
        if self.is_copied():  # somebody else was faster
            await remove(cache, copy)
        elif self.is_gone or parent.upper is None:  # it has lost its name meanwhile, and lives on without one
            await remove(cache, copy)
            self._rise(copy)
        else:
            try:
                await move(cache, copy, parent.upper, self.name, None)
            except SyscallError:
                await remove(cache, copy)
                raise
            self._rise(copy)

    def _rise(self, copy: Dentry) -> None:
        self.upper = copy
        self.fs.note(self)

    async def _copy_to(self, work: Dentry, limit: int | None) -> Dentry:
        """A twin in the work folder."""
        source = self.real
        attr = await source.getattr()
        folder, name, kind = inode_at(work), self.fs.work_name(), attr.mode & S_IFMT
        if kind == S_IFDIR:
            made = await folder.mkdir(name, S_IFDIR | 0o700, attr.uid, attr.gid)
        elif kind == S_IFLNK:
            made = await folder.symlink(name, await self.readlink(), attr.uid, attr.gid)
        else:
            made = await folder.create(name, kind | 0o600, attr.uid, attr.gid, attr.rdev)
        copy = self.fs.cache.add(work, name, made)
        try:
            if kind == S_IFREG:
                await copy_contents(source, made, attr.size if limit is None else min(limit, attr.size))
            await copy_attributes(source, made, attr, self.fs.marks)
            await self.fs.note_origin(made, source)
        except SyscallError:
            await remove(self.fs.cache, copy)
            raise
        return copy
