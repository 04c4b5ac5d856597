"""Objects of a lower tree that may change here: files, links, special files.

Until its first change a node shares the lower's attributes and contents. ``_own`` copies the attributes and makes the file system
remember the node under its lower identity; contents are copied when the first writer opens it. The inode number stays.
"""

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from sentry.fs.tmpfs.node import Node, Special, Symlink
from sentry.fs.tmpfs.regular import RegularFile, TmpFile
from sentry.fs.tmpfs.storage import SMALL_MAX, Storage
from sentry.mm.usermem import BytesSink
from sentry.vfs.context import OpenContext, Path
from sentry.vfs.dentry import Dentry
from sentry.vfs.stat import Attr
from syscalls.abi.errno import EIO, EOPNOTSUPP
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import O_ACCMODE, O_TRUNC

if TYPE_CHECKING:
    from sentry.fs.overlay.filesystem import OverlayFileSystem
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import Inode

Key = tuple[int, int]
_CHUNK = 1 << 20


class LowerNode(Node):
    """A node with something below. ``origin`` is that something, ``key`` its identity (layer, inode number)."""

    __slots__ = ()

    fs: "OverlayFileSystem"
    is_owned: bool
    key: Key
    origin: "Inode"
    #: where this node shines through: (directory's key, name); more than one for hard links of below
    homes: tuple[tuple[Key, bytes], ...]

    def _adopt(self, origin: "Inode", key: Key) -> None:
        # The slots are the subclasses': two bases with slots of their own cannot be joined.
        self.origin = origin  # type: ignore[misc]
        self.key = key  # type: ignore[misc]
        self.is_owned = False  # type: ignore[misc]
        self.homes = ()  # type: ignore[misc]

    def note_home(self, directory: Key, name: bytes) -> None:
        """A lookup below has found it here."""
        home = (directory, name)
        if home not in self.homes:
            self.homes = (*self.homes, home)  # type: ignore[misc]

    def _own(self) -> None:
        if not self.is_owned:
            self.is_owned = True  # type: ignore[misc]
            self.attr = replace(self.attr)
            self.fs.changed[self.key] = self

    def add_link(self, change: int) -> None:
        """A name more or less; without any, nothing below leads here any more."""
        super().add_link(change)
        if self.attr.nlink <= 0:
            self.fs.changed.pop(self.key, None)

    async def _load_xattrs(self) -> None:
        """The attributes of below become this node's own."""
        if self.xattrs is None:
            names = await self.origin.listxattr()
            self.xattrs = {name: await self.origin.getxattr(name) for name in names}

    async def getxattr(self, name: bytes) -> bytes:
        """Own ones once changed, else those below. Errors: ENODATA."""
        if self.xattrs is not None:
            return await super().getxattr(name)
        try:
            return await self.origin.getxattr(name)
        except SyscallError as error:
            if error.errno != EOPNOTSUPP:
                raise
            return await super().getxattr(name)

    async def listxattr(self) -> list[bytes]:
        """Own ones once changed, else those below."""
        return await super().listxattr() if self.xattrs is not None else await self.origin.listxattr()

    async def setxattr(self, name: bytes, value: bytes, flags: int) -> None:
        """Copies the attributes of below first."""
        await self._load_xattrs()
        await super().setxattr(name, value, flags)

    async def removexattr(self, name: bytes) -> None:
        """Copies the attributes of below first."""
        await self._load_xattrs()
        await super().removexattr(name)


class LowerSpecial(LowerNode, Special):
    """A FIFO, socket or device node of below."""

    __slots__ = ("homes", "is_owned", "key", "origin")

    def __init__(self, fs: "OverlayFileSystem", attr: Attr, origin: "Inode", key: Key) -> None:
        super().__init__(fs, attr)
        self._adopt(origin, key)


class LowerSymlink(LowerNode, Symlink):
    """A symbolic link of below."""

    __slots__ = ("homes", "is_owned", "key", "origin")

    def __init__(self, fs: "OverlayFileSystem", attr: Attr, origin: "Inode", key: Key) -> None:
        super().__init__(fs, attr)
        self._adopt(origin, key)
        self.link_text = origin.link_text

    async def readlink(self) -> bytes:
        """The text of below."""
        return self.link_text if self.link_text is not None else await self.origin.readlink()


class LowerFile(LowerNode, RegularFile):
    """A regular file of below; ``storage`` exists once ``is_copied``."""

    __slots__ = ("homes", "is_copied", "is_owned", "key", "origin")

    def __init__(self, fs: "OverlayFileSystem", attr: Attr, origin: "Inode", key: Key) -> None:
        Node.__init__(self, fs, attr)
        self._adopt(origin, key)
        self.is_copied = False

    async def open(self, context: OpenContext) -> "FileDescription":
        """A reader gets the lower's own description; a writer a copy. Errors: those of the lower, ENOSPC."""
        if not self.is_copied:
            if not context.flags & (O_ACCMODE | O_TRUNC):
                file = await self.origin.open(context)
                file.inode, file.path = self, context.path
                return file
            await self.copy_up(0 if context.flags & O_TRUNC else None)
        return TmpFile(self, context)

    def open_now(self, context: OpenContext) -> "FileDescription | None":
        """A reader of what is not copied gets the lower's, if it is at hand."""
        if self.is_copied:
            return TmpFile(self, context)
        if context.flags & (O_ACCMODE | O_TRUNC):
            return None
        file = self.origin.open_now(context)
        if file is not None:
            file.inode, file.path = self, context.path
        return file

    async def _resize(self, size: int) -> None:
        await self.copy_up(size)
        await super()._resize(size)

    async def copy_up(self, limit: int | None = None) -> None:
        """Copy the contents, at most ``limit`` bytes. If another task has been faster its copy stays. Errors: ENOSPC, EIO."""
        if self.is_copied:
            return
        storage = Storage(self.fs.pool)
        if limit is None or limit:
            await self._copy_into(storage, limit)
        if not self.is_copied:
            self._own()
            self.storage = storage
            self.is_copied = True
            self.sync_size()

    async def _copy_into(self, storage: Storage, limit: int | None) -> None:
        origin = self.origin
        # A lower's open looks at neither mount nor task.
        nowhere = Path(None, Dentry(b"", None, origin))  # type: ignore[arg-type]
        file = await origin.open(OpenContext(nowhere, 0, None))  # type: ignore[arg-type]
        file.acquire()
        try:
            length = await file.size()
            if limit is not None:
                length = min(length, limit)
            if not length:
                return
            if length > SMALL_MAX:  # reading a small file takes fewer steps, and leaves no copy behind in an image's file system
                fd = -1
                with suppress(SyscallError):
                    fd = await file.mapping_fd(writable=False, shared=False)
                if fd >= 0:
                    storage.fill_from_host(fd, length)
            if not storage.size:
                await self._read_into(storage, file, length)
        finally:
            file.release()
        if storage.size < length:
            raise SyscallError(EIO)

    async def _read_into(self, storage: Storage, file: "FileDescription", length: int) -> None:
        while storage.size < length:
            sink = BytesSink(min(_CHUNK, length - storage.size))
            if file.is_remote:
                count: int | None = await file.read_remote(sink, storage.size)
            else:
                count = file.try_read(sink, storage.size)
            if not count:
                return
            storage.fill(sink.data)
