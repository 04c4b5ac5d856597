"""A tree that a gofer exports, as a file system.

``is_shared`` False: the tree does not change while the sandbox runs (images, lower layers), so everything learned is kept. True:
somebody else may change it (volumes, ``--rw``), so the dentry cache is not used, and what is known holds only until the host
says that something has changed (``coherence``); where it cannot say so, everything is asked again.
"""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from gofer.protocol import message as m
from gofer.protocol.attr import ATTR_SIZE
from sentry.fs.gofer.client import GoferClient
from sentry.fs.gofer.coherence import Coherence
from sentry.fs.gofer.inode import GoferInode
from sentry.fs.gofer.prefetch import Prefetched
from sentry.fs.gofer.readahead import FolderReadAhead
from sentry.fs.gofer.record import Listing, Record
from sentry.host.gofer_channel import close_descriptor
from sentry.vfs.inode import FileSystem
from sentry.vfs.stat import StatFs

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

S_IFMT: Final = 0o170000
S_IFDIR: Final = 0o040000
ENTRIES_MAX: Final = 65_536
DESCRIPTORS_MAX: Final = 256
ST_RDONLY: Final = 1
_NOBODY: Final = nullcontext()


class GoferFileSystem(FileSystem):
    """One exported tree. ``client`` may serve several."""

    name = b"gofer"

    def __init__(
        self,
        dev: int,
        client: GoferClient,
        tree: int = 0,
        *,
        is_shared: bool = False,
        descriptors_max: int | None = None,
    ) -> None:
        """Attach ``tree`` and wait for the answer; at most ``descriptors_max`` are kept. Errors: ENOENT, EIO."""
        super().__init__(dev)
        self.client = client
        self.is_shared = is_shared
        self._inodes: WeakValueDictionary[int, GoferInode] = WeakValueDictionary()
        self._devs: dict[int, int] = {}
        self._root_dev = -1
        self._listed: dict[GoferInode, int] = {}  # oldest first: folders whose listing is kept, and how long it is
        self._listed_total = 0
        self._descriptors_max = DESCRIPTORS_MAX if descriptors_max is None else descriptors_max
        self.prefetched = Prefetched(max(1, self._descriptors_max // 4))
        self.folders = FolderReadAhead(self)
        self._donors: dict[GoferInode, None] = {}  # oldest first: files whose descriptor is kept
        reply = client.call_blocking(m.ATTACH, tree, int(is_shared))
        self.coherence = Coherence(reply.fd, client.watch_fd) if reply.fd >= 0 else None
        node, watch, flags, attributes = m.ATTACH.decode_reply(reply.bodies[0])
        assert isinstance(attributes, bytes)
        assert isinstance(flags, int)
        assert isinstance(node, int)
        assert isinstance(watch, int)
        self.is_writable = bool(flags & m.TREE_WRITABLE)
        self.is_network = bool(flags & m.TREE_REMOTE)
        record = Record(attributes[:ATTR_SIZE], 0)
        record.node, record.watch = node, watch
        self._root_dev = record.dev
        self._devs[record.dev] = 0
        self.root: GoferInode = self.inode_of(None, b"", record)

    async def statfs(self) -> StatFs:
        """Return the totals of the host's file system."""
        reply = await self.client.call(m.STATFS, self.root.place())
        magic, bsize, blocks, bfree, bavail, files, ffree, namelen = m.STATFS.decode_reply(reply.bodies[0])
        flags = 0 if self.is_writable else ST_RDONLY
        return StatFs(magic, bsize, blocks, bfree, bavail, files, ffree, namelen, flags)  # type: ignore[arg-type]

    def release(self) -> None:
        """Unmounted: give back descriptors and listings; nodes go with their inodes."""
        self.prefetched.clear()
        self.folders.clear()
        for inode in list(self._donors):
            self.drop_descriptor(inode)
        for inode in list(self._listed):
            inode.listing = None
        if self.coherence is not None:
            self.coherence.close()
            self.coherence = None
        self._listed.clear()
        self._listed_total = 0

    def own(self, *places: "tuple[GoferInode | None, bytes]") -> "AbstractContextManager[None]":
        """While this is entered, the host's events for these (folder, name) are the echo of a request of ours."""
        return self.coherence.guests.own(*places) if self.coherence is not None else _NOBODY

    def expect_close(self, inode: GoferInode) -> None:
        """A file that was open for writing here is being closed."""
        if self.coherence is not None:
            self.coherence.guests.expect_close(inode)

    def inode_of(self, parent: GoferInode | None, name: bytes, record: Record) -> GoferInode:
        """The inode of a record: the one that is known already, brought up to date, or a new one."""
        attr = record.attr
        if record.dev != self._root_dev:
            attr.ino = self.guest_ino(record.dev, attr.ino)
        if not self.is_shared and (attr.nlink == 1 or attr.mode & S_IFMT == S_IFDIR):
            return GoferInode(self, attr, parent, name, record)  # the dentry is its only name: no need to find it again
        key = attr.ino
        known = self._inodes.get(key)
        if known is not None and known.attr.mode & S_IFMT == attr.mode & S_IFMT and known.attr.btime_ns == attr.btime_ns:
            if self.is_shared:
                known.update(attr)
                if parent is not None and not known.is_placed_at(parent, name):
                    known.move(parent, name)
            self.take_node(known, record.node, record.watch)
            return known
        inode = GoferInode(self, attr, parent, name, record)
        self._inodes[key] = inode
        if inode.watch and self.coherence is not None:
            self.coherence.follow(inode)
        return inode

    def take_node(self, inode: GoferInode, node: int, watch: int) -> None:
        """A reply brought a node for a directory that is known: keep one of the two, the watched one if there is one."""
        if not node or node == inode.node:
            spare = 0
        elif inode.node and (inode.watch or not watch):
            spare = node
        else:
            spare, inode.node = inode.node, node
        if spare:
            self.client.forget(spare)
        if inode.node == node and watch and watch != inode.watch:
            inode.watch = watch
            if self.coherence is not None:
                self.coherence.follow(inode)

    def guest_ino(self, dev: int, ino: int) -> int:
        """An inode number that is unique in this file system although the tree may span several of the host's."""
        if dev == self._root_dev:
            return ino
        index = self._devs.get(dev)
        if index is None:
            index = self._devs[dev] = len(self._devs)
        return (ino ^ index << 48) & 0xFFFFFFFFFFFFFFFF

    def keep_listing(self, inode: GoferInode, listing: Listing) -> None:
        """Keep what a readdir has told, within bounds. Only for trees that do not change."""
        inode.listing = listing
        self._listed_total += len(listing) - self._listed.pop(inode, 0)
        self._listed[inode] = len(listing)
        while self._listed_total > ENTRIES_MAX and len(self._listed) > 1:
            oldest = next(iter(self._listed))
            self._listed_total -= self._listed.pop(oldest)
            oldest.listing = None

    def keep_descriptor(self, inode: GoferInode, fd: int) -> None:
        """Keep a donated descriptor for all openers of an unchanging file, within bounds; it can always be asked for again.

        Of two openers at the same time the first one's stays: it may be in use.
        """
        if inode.host_fd >= 0:
            close_descriptor(fd)
            self.touch_descriptor(inode)
            return
        inode.host_fd = fd
        self._donors[inode] = None
        while len(self._donors) > self._descriptors_max:
            self.drop_descriptor(next(iter(self._donors)))

    def touch_descriptor(self, inode: GoferInode) -> None:
        """``inode``'s descriptor is wanted again: it becomes the youngest."""
        del self._donors[inode]
        self._donors[inode] = None

    def drop_descriptor(self, inode: GoferInode) -> None:
        """Close a kept descriptor."""
        if inode.host_fd >= 0:
            close_descriptor(inode.host_fd)
            inode.host_fd = -1
        self._donors.pop(inode, None)
