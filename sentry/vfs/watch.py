"""What inotify(7) hears of: watches sit on inodes; the VFS tells of events where they happen.

Nobody watches as a rule, so the callers' check (``is_watched``) is two attribute loads.
"""

from typing import TYPE_CHECKING, Final, Protocol

from syscalls.abi.fcntl import O_PATH
from syscalls.abi.inotify import (
    IN_ATTRIB,
    IN_CLOSE,
    IN_CREATE,
    IN_DELETE,
    IN_DELETE_SELF,
    IN_ISDIR,
    IN_MOVE_SELF,
    IN_MOVED_FROM,
    IN_MOVED_TO,
    IN_OPEN,
)
from syscalls.abi.stat import S_IFDIR, S_IFMT

#: a name has moved within its folder; inotify(7) knows no such event, fcntl(F_NOTIFY) does (Linux: FS_RENAME)
FS_RENAME: Final = 0x10000000

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.dentry import Dentry
    from sentry.vfs.file import FileDescription
    from sentry.vfs.inode import Inode


class Watch(Protocol):
    """One interest of one inotify instance in one inode."""

    def deliver(self, mask: int, cookie: int, name: bytes) -> None:
        """An event has happened; the watch knows whether anybody wants it."""

    def vanish(self) -> None:
        """The inode is gone: the watch goes too (IN_IGNORED)."""


def is_watched(dentry: "Dentry") -> bool:
    """Whether anybody watches the object or the directory that holds its name."""
    inode, directory = dentry.inode, dentry.parent.inode
    return bool((inode is not None and inode.watches) or (directory is not None and directory.watches))


def happened(dentry: "Dentry", mask: int) -> None:
    """Something happened to the object at ``dentry``: its directory's watches hear it, with the name, then its own."""
    inode, directory = dentry.inode, dentry.parent.inode
    if inode is None:
        return
    mask |= _directory_bit(inode)
    if directory is not None and directory is not inode:
        tell(directory, mask, 0, dentry.name)
    tell(inode, mask)


def touched(file: "FileDescription", mask: int) -> None:
    """Something was done through an open file."""
    path = file.path
    if path is not None and is_watched(path.dentry):
        happened(path.dentry, mask)


def created(directory: "Inode", name: bytes, inode: "Inode") -> None:
    """A name was made."""
    if directory.watches:
        tell(directory, IN_CREATE | _directory_bit(inode), 0, name)


def linked(directory: "Inode", name: bytes, inode: "Inode") -> None:
    """A further name was made."""
    tell(inode, IN_ATTRIB)
    created(directory, name, inode)


def removed(task: "Task", directory: "Inode", name: bytes, inode: "Inode") -> None:
    """A name was removed; with the last one, and the last descriptor, the object is gone."""
    if not directory.watches and not inode.watches:
        return
    bit = _directory_bit(inode)
    if not bit:
        tell(inode, IN_ATTRIB)
    _depart(task, inode)
    tell(directory, IN_DELETE | bit, 0, name)


def moved(
    task: "Task",
    source: "Inode",
    old_name: bytes,
    target: "Inode",
    new_name: bytes,
    inode: "Inode",
    replaced: "Inode | None",
    cookie: int,
) -> None:
    """A name has moved, perhaps over another."""
    bit = _directory_bit(inode)
    tell(source, IN_MOVED_FROM | bit, cookie, old_name)
    tell(target, IN_MOVED_TO | bit, cookie, new_name)
    if source is target:
        tell(source, FS_RENAME | bit, cookie, old_name)
    if replaced is not None:
        tell(replaced, IN_ATTRIB | _directory_bit(replaced))
    tell(inode, IN_MOVE_SELF | bit)
    if replaced is not None:
        _depart(task, replaced)


def _depart(task: "Task", inode: "Inode") -> None:
    """Nothing names it any more: it is gone when nobody has it open. Messages under way and mappings do not count."""
    if not inode.watches or inode.attr.nlink:
        return
    holders = {
        file
        for other in task.kernel.tasks.tasks.values()
        for number in other.fds.numbers()
        if (file := other.fds.find(number)) is not None and file.inode is inode and not file.flags & O_PATH
    }
    if holders:
        inode.watches.append(_Departure(inode, len(holders)))
    else:
        gone(inode)


def gone(inode: "Inode") -> None:
    """The object is no more: its watches end."""
    tell(inode, IN_DELETE_SELF)
    for watch in list(inode.watches or ()):
        watch.vanish()


class _Departure:
    """Counts the descriptions of an object without a name, by the events of its being opened and closed."""

    __slots__ = ("_holders", "_inode")

    def __init__(self, inode: "Inode", holders: int) -> None:
        self._inode = inode
        self._holders = holders

    def deliver(self, mask: int, cookie: int, name: bytes) -> None:
        """The last close is the end."""
        if name or not mask & (IN_OPEN | IN_CLOSE):
            return
        self._holders += 1 if mask & IN_OPEN else -1
        if not self._holders:
            self.vanish()
            gone(self._inode)

    def vanish(self) -> None:
        """Count no more."""
        watches = self._inode.watches
        if watches is not None and self in watches:
            watches.remove(self)


def tell(inode: "Inode", mask: int, cookie: int = 0, name: bytes = b"") -> None:
    """All watches of the object hear it."""
    if inode.watches:
        for watch in list(inode.watches):
            watch.deliver(mask, cookie, name)


def _directory_bit(inode: "Inode") -> int:
    return IN_ISDIR if inode.attr.mode & S_IFMT == S_IFDIR else 0
