"""Asks for the next folders while the guest still works through this one (find, du, grep -r, tar).

A program that reads folder after folder of a tree gets each answer after a round trip to the gofer. Once it has read several
folders below others that it had read, the subfolders of what it reads are asked for ahead, several requests under way at a time:
the gofer works on the other processor meanwhile. Only in trees that do not change, and never on a network file system. What
nobody takes is given back: at most ``KEPT_MAX`` answers, of folders up to ``SIZE_MAX`` bytes.
"""

from typing import TYPE_CHECKING, Final

from gofer.protocol import message as m
from gofer.protocol.attr import ATTR, NODE_HEAD
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.gofer.client import Reply, Request
    from sentry.fs.gofer.filesystem import GoferFileSystem
    from sentry.fs.gofer.inode import GoferInode
    from sentry.fs.gofer.record import Listing

KEPT_MAX: Final = 16
WANTED_MAX: Final = 512
SIZE_MAX: Final = 32_768
ROW_MIN: Final = 2
S_IFMT, S_IFDIR = 0o170000, 0o040000

_Place = tuple["GoferInode", bytes]


class FolderReadAhead:
    """What has been asked ahead in one tree, by folder and name, and what should be asked next."""

    __slots__ = ("_asked", "_gofer", "_row", "_wanted")

    def __init__(self, gofer: "GoferFileSystem") -> None:
        self._gofer = gofer
        self._asked: dict[_Place, Request] = {}
        self._wanted: dict[_Place, None] = {}  # a stack: the youngest is next
        self._row = 0  # folders read one after the other, each in one that had been read

    async def take(self, inode: "GoferInode") -> "Reply | None":
        """The answer for ``inode`` if it has been asked ahead and is about this very folder."""
        if inode.parent is None or not self._row:
            return None
        place = inode.parent, inode.name
        self._wanted.pop(place, None)
        request = self._asked.pop(place, None)
        if request is None:
            if len(self._asked) >= KEPT_MAX:  # the guest reads in another order: make room
                self._drop(next(iter(self._asked)))
            return None
        client = self._gofer.client
        try:
            reply = await client.result(request)
        except SyscallError:
            return None  # asked again, it says why
        fields = ATTR.unpack_from(reply.bodies[0], NODE_HEAD.size)
        if self._gofer.guest_ino(fields[9], fields[0]) != inode.attr.ino:
            client.forget(NODE_HEAD.unpack_from(reply.bodies[0])[0])
            return None
        return reply

    def note(self, inode: "GoferInode", listing: "Listing") -> None:
        """A program has read ``inode``."""
        parent = inode.parent
        inode.is_read = True
        if parent is None or not parent.is_read or self._gofer.is_network:
            self._row = 0
            return
        self._row += 1
        if self._row < ROW_MIN:
            return
        wanted = self._wanted
        for name in reversed(listing.folders(SIZE_MAX)[:WANTED_MAX]):
            wanted[inode, name] = None
        while len(wanted) > WANTED_MAX:
            del wanted[next(iter(wanted))]
        self._ask()

    def clear(self) -> None:
        """Give everything back."""
        self._wanted.clear()
        for place in list(self._asked):
            self._drop(place)

    def _ask(self) -> None:
        asked, wanted, client = self._asked, self._wanted, self._gofer.client
        while wanted and len(asked) < KEPT_MAX:
            (folder, name), _ = wanted.popitem()
            if not folder.node or (folder, name) in asked:
                continue
            try:
                asked[folder, name] = client.begin(m.READDIR, (folder.node, (name,)))
            except SyscallError:  # the gofer is gone; whoever asks next learns it
                return

    def _drop(self, place: _Place) -> None:
        self._gofer.client.abandon(self._asked.pop(place))
