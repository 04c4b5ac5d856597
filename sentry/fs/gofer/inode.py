"""Files and folders of a gofer's tree.

A directory gets a node number at the gofer once a walk or a readdir has reached it; everything else is named by the nearest
such directory and the names below it (``place``). Folders of a tree that does not change keep their whole listing, so that
``find`` or ``ls -l`` costs one request per folder.
"""

from typing import TYPE_CHECKING, Final

from gofer.protocol import message as m
from gofer.protocol.attr import ATTR_SIZE, NODE_HEAD
from gofer.protocol.wire import PATH_COMPONENTS_MAX, Place
from sentry.fs.gofer import change
from sentry.fs.gofer.file import open_cached, open_regular
from sentry.fs.gofer.prefetch import OpenPattern
from sentry.fs.gofer.record import Listing, Record, decode_steps
from sentry.vfs.file import Entry
from sentry.vfs.inode import Inode
from syscalls.abi.errno import EACCES, EINVAL, ELOOP, ENODATA, ENOENT, ENOTDIR, EOPNOTSUPP, EROFS, ESTALE
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.gofer.file import OpenHandle
    from sentry.fs.gofer.filesystem import GoferFileSystem
    from sentry.vfs.context import OpenContext
    from sentry.vfs.file import FileDescription
    from sentry.vfs.stat import Attr, SetAttr

S_IFMT: Final = 0o170000
S_IFDIR, S_IFLNK, S_IFREG, S_IFIFO = 0o040000, 0o120000, 0o100000, 0o010000
#: after so many single lookups a folder is listed, if it is no larger (bytes of the folder itself: 100 names are about 4 KiB)
LISTED_AFTER: Final = ((1, 8_192), (3, 32_768))
OPENS_MIN: Final = 3
NEVER: Final = -(1 << 62)
_FIELDS: Final = ("mode", "nlink", "uid", "gid", "size", "blocks", "atime_ns", "mtime_ns", "ctime_ns")


class GoferInode(Inode):
    """One object of a ``GoferFileSystem``. ``host_fd`` is a kept read-only descriptor; ``fresh`` that of a file just made."""

    __slots__ = (
        "dev",
        "foreign_names",
        "fresh",
        "gofer",
        "has_current_attr",
        "host_fd",
        "is_cacheable",
        "is_current",
        "is_read",
        "is_veiled",
        "listing",
        "misses",
        "name",
        "names",
        "node",
        "opened",
        "opens",
        "parent",
        "pattern",
        "replaced",
        "watch",
    )

    #: walks bring current attributes along, in shared trees too
    has_fresh_lookup = True

    def __init__(self, gofer: "GoferFileSystem", attr: "Attr", parent: "GoferInode | None", name: bytes, record: Record) -> None:
        super().__init__(gofer, attr)
        self.gofer = gofer
        self.dev = record.dev
        self.parent = parent
        self.name = name
        self.node = record.node
        self.watch = record.watch
        self.names: dict[bytes, GoferInode | None] = {}  # what is known to be in a watched folder
        self.is_current = False  # of a shared tree: no event has said that the attributes changed
        self.foreign_names = 0  # ``Coherence.foreign_names`` as of then
        self.is_veiled = record.is_veiled
        self.is_cacheable = self.has_current_attr = not gofer.is_shared
        self.listing: Listing | None = None
        self.is_read = False  # a program has read this folder
        self.misses = 0  # lookups here that had to ask the gofer
        self.opens = 0  # files opened in this folder
        self.pattern: OpenPattern | None = None
        self.host_fd = -1
        self.replaced = 0  # how often the host has put another file under the name
        self.fresh: OpenHandle | None = None
        self.opened: list[int] = []  # numbers of files that stay open at the gofer
        if record.link and not gofer.is_shared:
            self.link_text = record.link

    def __del__(self) -> None:
        gofer = self.gofer
        if self.fresh is not None:
            gofer.expect_close(self)
            self.fresh.close(gofer.client)
        if self.node:
            gofer.client.forget(self.node)

    def place(self) -> Place:
        """How the gofer finds this object. Errors: ESTALE for one that has lost its name."""
        names: list[bytes] = []
        inode: GoferInode = self
        while not inode.node:
            if inode.parent is None:
                raise SyscallError(ESTALE)
            names.append(inode.name)
            inode = inode.parent
        if len(names) > PATH_COMPONENTS_MAX:
            raise SyscallError(ELOOP)
        names.reverse()
        return inode.node, tuple(names)

    def is_placed_at(self, parent: "GoferInode", name: bytes) -> bool:
        """Whether it is known under that name."""
        return self.parent is parent and self.name == name

    def move(self, parent: "GoferInode | None", name: bytes) -> None:
        """It has another name from now on; None: it has none."""
        self.parent = parent
        self.name = name

    def update(self, attr: "Attr") -> None:
        """Take over newer attributes."""
        own = self.attr
        for field in _FIELDS:
            setattr(own, field, getattr(attr, field))

    async def getattr(self) -> "Attr":
        """Return the attributes; of a shared tree they are asked again."""
        if not self.gofer.is_shared or self.is_veiled:
            return self.attr
        coherence = self.gofer.coherence
        if coherence is not None:
            coherence.refresh()
            if self._is_watched():
                return self.attr
        before = coherence.changes if coherence is not None else 0
        number = self.opened[-1] if self.opened else 0
        try:
            place = (0, ()) if number else self.place()
            reply = await self.gofer.client.call(m.GETATTR, place, number)
        except SyscallError as error:
            if error.errno not in (ENOENT, ESTALE):
                raise
            self.attr.nlink = 0  # renamed or removed by somebody else while it is in use here
            return self.attr
        record = Record(reply.bodies[0], 0)
        if self.gofer.guest_ino(record.dev, record.attr.ino) == self.attr.ino:
            self.update(record.attr)
            if coherence is not None:
                coherence.refresh()
                self.is_current = coherence.changes == before
                self.foreign_names = coherence.foreign_names
        return self.attr

    def _is_watched(self) -> bool:
        """Whether any change of the attributes would have been heard: through the folder itself, or the file's only folder."""
        if not self.is_current:
            return False
        if self.attr.mode & S_IFMT == S_IFDIR:
            return self.watch != 0
        parent, coherence = self.parent, self.gofer.coherence
        if coherence is None or self.foreign_names != coherence.foreign_names:
            return False
        return parent is not None and parent.watch != 0 and self.attr.nlink == 1 and parent.names.get(self.name) is self

    async def lookup(self, name: bytes) -> "Inode | None":
        """Return the child or None."""
        coherence = self.gofer.coherence
        if coherence is not None and self.watch:
            coherence.refresh()
            known = self.names.get(name, self)
            if known is None or (known is not self and known._is_watched()):
                return known
        return (await self.lookup_many([name]))[0]

    async def lookup_many(self, names: list[bytes]) -> "list[Inode | None]":
        """Walk as far as the listings reach, then ask the gofer once for the rest."""
        found: list[Inode | None] = []
        directory = self
        for index, name in enumerate(names):
            if directory.attr.mode & S_IFMT != S_IFDIR:
                if not found:
                    raise SyscallError(ENOTDIR)
                return found
            if directory.is_veiled:
                return [*found, None]
            if directory.listing is None:
                if not directory._deserves_listing():
                    return found + await directory._walk(names[index:], may_fail=not found)
                try:
                    listing = await directory._list()
                except SyscallError:  # it may be searched but not listed
                    directory.misses = NEVER
                    return found + await directory._walk(names[index:], may_fail=not found)
            else:
                listing = directory.listing
            record = listing.find(name)
            if record is None:
                return [*found, None]
            if record.is_partial:  # let the gofer say why
                return found + await directory._walk([name], may_fail=not found)
            directory = self.gofer.inode_of(directory, name, record)
            found.append(directory)
        return found

    def _deserves_listing(self) -> bool:
        """Whether so many names were asked here one by one (a search path, a module folder) that the whole folder is cheaper."""
        self.misses += 1
        if self.gofer.is_shared:
            return False
        size = self.attr.size
        return any(self.misses > misses and size <= size_max for misses, size_max in LISTED_AFTER)

    async def _walk(self, names: list[bytes], *, may_fail: bool) -> "list[Inode | None]":
        coherence = self.gofer.coherence
        before = -1
        if coherence is not None:
            coherence.refresh()
            before = coherence.changes
        node, prefix = self.place()
        room = PATH_COMPONENTS_MAX - len(prefix)
        reply = await self.gofer.client.call(m.WALK, (node, prefix + tuple(names[:room])))
        errno, count, records = m.WALK.decode_reply(reply.bodies[0])
        assert isinstance(records, bytes)
        steps = decode_steps(records, 0)
        self._take_prefix(steps[: len(prefix)])
        found: list[Inode | None] = []
        directory = self
        is_kept = False
        if coherence is not None:
            coherence.refresh()
            is_kept = coherence.changes == before
        for name, record in zip(names, steps[len(prefix) :], strict=False):
            child = self.gofer.inode_of(directory, name, record)
            if is_kept and coherence is not None:
                child.is_current = True
                child.foreign_names = coherence.foreign_names
                coherence.keep(directory, name, child)
            directory = child
            found.append(directory)
        assert isinstance(count, int)
        assert isinstance(errno, int)
        if errno in (ENOENT, ENOTDIR, ELOOP):
            if errno == ENOENT and count >= len(prefix):
                if is_kept and coherence is not None:
                    coherence.keep(directory, names[len(found)], None)
                found.append(None)
        elif errno and not found and may_fail:
            raise SyscallError(errno)
        if not found:
            raise SyscallError(ESTALE if count < len(prefix) else ENOENT)
        return found

    def _take_prefix(self, steps: list[Record]) -> None:
        """The folders between the nearest node and this one have nodes now."""
        inode: GoferInode | None = self
        for record in reversed(steps):
            assert inode is not None
            if record.node and self.gofer.guest_ino(record.dev, record.attr.ino) != inode.attr.ino:
                self.gofer.client.forget(record.node)
            else:
                self.gofer.take_node(inode, record.node, record.watch)
            inode = inode.parent

    async def read_children(self) -> "list[Entry]":
        """Return all entries; the attributes that come along answer the lookups that follow."""
        if self.attr.mode & S_IFMT != S_IFDIR:
            raise SyscallError(ENOTDIR)
        if self.is_veiled:
            return []
        listing = self.listing
        if listing is None or not self.is_read:
            if listing is None:
                listing = await self._list()
            if not self.gofer.is_shared:
                self.gofer.folders.note(self, listing)
        guest_ino = self.gofer.guest_ino
        return [Entry(name, guest_ino(dev, ino), mode >> 12) for name, ino, mode, dev in listing.heads()]

    async def _list(self) -> Listing:
        reply = None if self.gofer.is_shared else await self.gofer.folders.take(self)
        bodies = (reply or await self.gofer.client.call(m.READDIR, self.place())).bodies
        node, watch = NODE_HEAD.unpack_from(bodies[0])
        self.gofer.take_node(self, node, watch)
        listing = Listing(bodies)
        if not self.gofer.is_shared:
            self.gofer.keep_listing(self, listing)
        return listing

    def guess_opens(self, name: bytes) -> list[bytes]:
        """``name`` in this folder is being opened: which others will probably follow. Only with a listing."""
        self.opens += 1
        if self.listing is None:
            self.pattern = None
            return []
        if self.pattern is None:
            if self.opens < OPENS_MIN:
                return []
            self.pattern = OpenPattern(self.listing)
        self.pattern.note(name)
        return self.pattern.guess()

    async def readlink(self) -> bytes:
        """Return the link text."""
        if self.attr.mode & S_IFMT != S_IFLNK:
            raise SyscallError(EINVAL)
        if self.link_text is not None:
            return self.link_text
        reply = await self.gofer.client.call(m.WALK, self.place())
        _, count, records = m.WALK.decode_reply(reply.bodies[0])
        assert isinstance(records, bytes)
        steps = decode_steps(records, 0)
        for record in steps[:-1]:
            if record.node:
                self.gofer.client.forget(record.node)
        if not steps or not steps[-1].link or count != len(self.place()[1]):
            raise SyscallError(ENOENT)
        return steps[-1].link

    async def open(self, context: "OpenContext") -> "FileDescription":
        """Open a regular file through the gofer; everything else as any file system does."""
        if self.attr.mode & S_IFMT != S_IFREG:
            return await super().open(context)
        return await open_regular(self, context.flags)

    def open_now(self, context: "OpenContext") -> "FileDescription | None":
        """A file whose shared descriptor is here, for reading."""
        if self.attr.mode & S_IFMT != S_IFREG:
            return super().open_now(context)
        return open_cached(self, context.flags)

    async def getxattr(self, name: bytes) -> bytes:
        """Only `user.` attributes of files and folders pass."""
        if not name.startswith(b"user.") or self.attr.mode & S_IFMT not in (S_IFREG, S_IFDIR):
            raise SyscallError(EOPNOTSUPP if not name.startswith(b"user.") else ENODATA)
        return (await self.gofer.client.call(m.GETXATTR, self.place(), name)).bodies[0]

    async def listxattr(self) -> list[bytes]:
        """The names in `user.`; a file that the gofer may not read shows none."""
        if self.attr.mode & S_IFMT not in (S_IFREG, S_IFDIR) or self.is_veiled:
            return []
        try:
            names = (await self.gofer.client.call(m.LISTXATTR, self.place())).bodies[0]
        except SyscallError as error:
            if error.errno in (EACCES, EOPNOTSUPP):
                return []
            raise
        return [name for name in names.split(b"\0") if name]

    async def setattr(self, change_: "SetAttr") -> None:
        """Change attributes on the host. Errors: EROFS, EPERM."""
        self._check_writable()
        await change.set_attributes(self, change_)

    async def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int = 0) -> "Inode":
        """Make a regular file, a FIFO or a socket's name. Errors: EPERM for devices."""
        self._check_writable()
        return await change.create(self, name, mode, uid, gid)

    def creates_unseen(self) -> bool:
        """The gofer is told O_EXCL; a folder without a node gets one by a lookup."""
        return self.node != 0

    async def mkdir(self, name: bytes, mode: int, uid: int, gid: int) -> "Inode":
        """Make a directory."""
        self._check_writable()
        return await change.mkdir(self, name, mode, uid, gid)

    async def symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> "Inode":
        """Make a symbolic link."""
        self._check_writable()
        return await change.symlink(self, name, target, uid, gid)

    async def link(self, name: bytes, inode: "Inode") -> None:
        """Make a hard link."""
        self._check_writable()
        assert isinstance(inode, GoferInode)
        await change.link(self, name, inode)

    async def unlink(self, name: bytes, inode: "Inode") -> None:
        """Remove a name."""
        self._check_writable()
        assert isinstance(inode, GoferInode)
        await change.unlink(self, name, inode)

    async def rmdir(self, name: bytes, inode: "Inode") -> None:
        """Remove an empty directory."""
        self._check_writable()
        assert isinstance(inode, GoferInode)
        await change.rmdir(self, name, inode)

    async def rename(
        self, name: bytes, inode: "Inode", to: "Inode", to_name: bytes, replaced: "Inode | None", flags: int
    ) -> None:
        """Move a name within the tree."""
        self._check_writable()
        assert isinstance(inode, GoferInode)
        assert isinstance(to, GoferInode)
        places = [(self, name), (to, to_name), (inode, b"")]
        if isinstance(replaced, GoferInode):
            places.append((replaced, b""))
        with self.gofer.own(*places):
            await change.rename(self, name, inode, to, to_name, flags)
        if isinstance(replaced, GoferInode) and replaced.is_placed_at(to, to_name):
            replaced.move(None, b"")

    async def tmpfile(self, mode: int, uid: int, gid: int) -> "Inode":
        """Make a file without a name."""
        self._check_writable()
        return await change.tmpfile(self, mode, uid, gid)

    async def setxattr(self, name: bytes, value: bytes, flags: int) -> None:
        """Set a `user.` attribute."""
        self._check_writable()
        with self.gofer.own((self.parent, self.name), (self, b"")):
            await self.gofer.client.call(m.SETXATTR, self.place(), name, value, flags)

    async def removexattr(self, name: bytes) -> None:
        """Remove a `user.` attribute."""
        self._check_writable()
        with self.gofer.own((self.parent, self.name), (self, b"")):
            await self.gofer.client.call(m.REMOVEXATTR, self.place(), name)

    def watch_added(self) -> None:
        """A guest listens: the host's doings are heard from now on."""
        coherence = self.gofer.coherence
        if coherence is not None:
            coherence.guests.add(self)

    def watch_removed(self) -> None:
        """One listener less."""
        coherence = self.gofer.coherence
        if coherence is not None:
            coherence.guests.remove(self)

    def take_attributes(self, body: bytes, position: int = 0) -> None:
        """Update from a reply's attribute record."""
        self.update(Record(body[position : position + ATTR_SIZE], 0).attr)

    def _check_writable(self) -> None:
        if not self.gofer.is_writable:
            raise SyscallError(EROFS)
