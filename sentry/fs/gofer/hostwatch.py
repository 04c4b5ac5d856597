"""Lets the guests' inotify(7) hear of what others do in a shared tree: the host's programs and other sandboxes.

The VFS tells of the guests' own acts itself, so their echo from the host is taken out: while a request of ours is under way,
events for its names are ours, and each file of ours that was open for writing is closed once.

# Differs from Linux: of two equal events in the same instant, one ours, the other may be lost; others' reading is not heard, nor
# a further name that they give a watched file.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Final

from sentry.vfs.watch import gone, tell
from syscalls.abi.inotify import (
    IN_ATTRIB,
    IN_CLOSE_WRITE,
    IN_CREATE,
    IN_DELETE,
    IN_DELETE_SELF,
    IN_ISDIR,
    IN_MODIFY,
    IN_MOVE_SELF,
    IN_MOVED_FROM,
    IN_MOVED_TO,
)

if TYPE_CHECKING:
    from sentry.fs.gofer.inode import GoferInode

_CONTENTS: Final = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE
_NAMES: Final = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO
_HOST_COOKIE: Final = 1 << 31  # the sentry's own cookies count from 1
_MOVES_MAX: Final = 64
_NOTHING: Final = nullcontext()
#: a folder's number in the host's events and a name in it, b"" for the folder itself
Key = tuple[int, bytes]


class HostWatch:
    """What guests watch in one tree. ``start`` calls ``refresh`` whenever events wait, and returns the stop function."""

    def __init__(self, start: "Callable[[], Callable[[], None] | None]", refresh: Callable[[], None]) -> None:
        self._start = start
        self._refresh = refresh
        self._stop: Callable[[], None] | None = None
        self._watched: dict[GoferInode, int] = {}
        self._own: dict[Key, int] = {}
        self._closes: dict[Key, int] = {}
        self._moves: dict[int, GoferInode | None] = {}

    def add(self, inode: "GoferInode") -> None:
        """A guest watches ``inode`` now."""
        if not self._watched:
            self._refresh()
            self._stop = self._start()
        self._watched[inode] = self._watched.get(inode, 0) + 1

    def remove(self, inode: "GoferInode") -> None:
        """One watch less."""
        count = self._watched.pop(inode, 0) - 1
        if count > 0:
            self._watched[inode] = count
        if not self._watched:
            self.close()

    def close(self) -> None:
        """Nobody listens. Idempotent."""
        self._watched.clear()
        self._closes.clear()
        self._moves.clear()
        if self._stop is not None:
            self._stop()
            self._stop = None

    def own(self, *places: "tuple[GoferInode | None, bytes]") -> "AbstractContextManager[None]":
        """While this is entered, events for these (folder, name) are ours; (folder, b"") is the folder itself."""
        if not self._watched:
            return _NOTHING
        return _Window(self, [(folder.watch, name) for folder, name in places if folder is not None and folder.watch])

    def enter(self, keys: list[Key]) -> None:
        """What has happened up to now was others' doing."""
        self._refresh()
        for key in keys:
            self._own[key] = self._own.get(key, 0) + 1

    def leave(self, keys: list[Key]) -> None:
        """What has happened to these names since was ours."""
        self._refresh()
        for key in keys:
            count = self._own.pop(key, 0) - 1
            if count > 0:
                self._own[key] = count

    def expect_close(self, inode: "GoferInode") -> None:
        """A file of ours that was open for writing is being closed."""
        parent = inode.parent
        if self._watched and parent is not None and parent.watch:
            key = (parent.watch, inode.name)
            self._closes[key] = self._closes.get(key, 0) + 1

    def hear(self, folder: "GoferInode", watch: int, mask: int, cookie: int, name: bytes) -> None:
        """An event of the host about ``folder`` or ``name`` in it."""
        if not self._watched:
            return
        key = (watch, name)
        if key in self._own:
            return
        if mask & IN_CLOSE_WRITE and key in self._closes:
            count = self._closes.pop(key) - 1
            if count:
                self._closes[key] = count
            return
        if not name:
            self._hear_folder(folder, mask)
        elif mask & _CONTENTS:
            tell(folder, mask, 0, name)
            if not mask & IN_ISDIR:  # a folder tells of itself
                self._tell_child(folder, name, mask)
        elif mask & _NAMES:
            self._hear_name(folder, mask, cookie, name)

    def _hear_folder(self, folder: "GoferInode", mask: int) -> None:
        if mask & IN_DELETE_SELF:
            folder.attr.nlink = 0
            gone(folder)
        elif mask & (IN_ATTRIB | IN_MOVE_SELF):
            tell(folder, mask & (IN_ATTRIB | IN_MOVE_SELF) | IN_ISDIR)

    def _hear_name(self, folder: "GoferInode", mask: int, cookie: int, name: bytes) -> None:
        child = self._child(folder, name)
        cookie = cookie | _HOST_COOKIE if cookie else 0
        if mask & IN_DELETE and child is not None:
            if mask & IN_ISDIR:
                child.attr.nlink = 0  # the gofer's descriptor keeps it alive, so it does not tell itself
            else:
                child.attr.nlink = max(0, child.attr.nlink - 1)
                tell(child, IN_ATTRIB)
            if not child.attr.nlink:
                gone(child)
        tell(folder, mask, cookie, name)
        if mask & IN_MOVED_FROM:
            if len(self._moves) >= _MOVES_MAX:
                self._moves.clear()
            self._moves[cookie] = child
        elif mask & IN_MOVED_TO:
            moved = self._moves.pop(cookie, None)
            if child is not None and child is not moved and not mask & IN_ISDIR:
                child.attr.nlink = max(0, child.attr.nlink - 1)
                tell(child, IN_ATTRIB)
            if moved is not None and not mask & IN_ISDIR:
                moved.move(folder, name)
                tell(moved, IN_MOVE_SELF)
            if child is not None and child is not moved and not child.attr.nlink:
                gone(child)

    def _tell_child(self, folder: "GoferInode", name: bytes, mask: int) -> None:
        child = self._child(folder, name)
        if child is not None:
            tell(child, mask)

    def _child(self, folder: "GoferInode", name: bytes) -> "GoferInode | None":
        """The watched file of that name."""
        return next((inode for inode in self._watched if inode.parent is folder and inode.name == name), None)


class _Window:
    """``HostWatch.own`` entered."""

    __slots__ = ("_host", "_keys")

    def __init__(self, host: HostWatch, keys: list[Key]) -> None:
        self._host = host
        self._keys = keys

    def __enter__(self) -> None:
        self._host.enter(self._keys)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /) -> None:
        self._host.leave(self._keys)
