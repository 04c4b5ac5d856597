"""fcntl(F_NOTIFY): a signal when something happens in a folder. Linux: fs/notify/dnotify/dnotify.c.

A notice belongs to one description in one descriptor table and ends when that table closes any number of it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sentry.vfs.watch import FS_RENAME
from syscalls.abi.fcntl import DN_ACCESS, DN_ATTRIB, DN_CREATE, DN_DELETE, DN_MODIFY, DN_MULTISHOT, DN_RENAME
from syscalls.abi.inotify import IN_ACCESS, IN_ATTRIB, IN_CREATE, IN_DELETE, IN_ISDIR, IN_MODIFY, IN_MOVED_FROM, IN_MOVED_TO

if TYPE_CHECKING:
    from sentry.vfs.inode import Inode

_EVENTS: Final = (
    (DN_ACCESS, IN_ACCESS),
    (DN_MODIFY, IN_MODIFY),
    (DN_CREATE, IN_CREATE | IN_MOVED_TO),
    (DN_DELETE, IN_DELETE | IN_MOVED_FROM),
    (DN_RENAME, FS_RENAME),
    (DN_ATTRIB, IN_ATTRIB),
)


class DirectoryNotice:
    """One description's interest in its folder (``sentry.vfs.watch.Watch``). ``tell`` sends the signal."""

    __slots__ = ("_inode", "_mask", "_tell", "file", "table")

    def __init__(self, table: object, file: object, inode: "Inode", tell: Callable[[], None]) -> None:
        self.table = table
        self.file = file
        self._inode = inode
        self._mask = 0
        self._tell = tell
        if inode.watches is None:
            inode.watches = []
        inode.watches.append(self)
        inode.watch_added()

    def add(self, mask: int) -> None:
        """More events; they add up as long as the notice lives."""
        self._mask |= mask

    def deliver(self, mask: int, cookie: int, name: bytes) -> None:
        """Tell of what is wanted: of the folder itself and of what is in it; unless it was set for many, the notice is spent."""
        wanted = sum(bit for bit, events in _EVENTS if self._mask & bit and events & mask)
        if not wanted or not (name or mask & IN_ISDIR):
            return
        self._tell()
        if not self._mask & DN_MULTISHOT:
            self._mask &= ~wanted
            if not self._mask:
                self.vanish()

    def vanish(self) -> None:
        """End. Idempotent."""
        watches = self._inode.watches
        if watches is not None and self in watches:
            watches.remove(self)
            self._inode.watch_removed()


def notice_of(inode: "Inode", table: object, file: object) -> DirectoryNotice | None:
    """The notice of a description in a table."""
    for watch in inode.watches or ():
        if isinstance(watch, DirectoryNotice) and watch.table is table and watch.file is file:
            return watch
    return None


def end_notice(inode: "Inode", table: object, file: object) -> None:
    """``table`` has closed a number of ``file``."""
    notice = notice_of(inode, table, file)
    if notice is not None:
        notice.vanish()
