"""Keeps what is known of a shared tree true: the gofer watches the folders that the sentry holds (inotify(7)).

``refresh`` is called before anything cached is trusted. The host kernel queues an event before the call that caused it returns,
so a change that somebody has finished is always seen. An answer is kept only if no event arrived while it was under way.

# Differs from Linux: a store through somebody else's shared mapping moves the modification time unseen; access times lag.
"""

from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from sentry.fs.gofer.hostwatch import HostWatch
from sentry.host.gofer_channel import close_descriptor, read_events

if TYPE_CHECKING:
    from sentry.fs.gofer.inode import GoferInode

_EVENT: Final = Struct("<iIII")
_NAME_CHANGED: Final = 0x40 | 0x80 | 0x100 | 0x200  # IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE
_FOLDER_GONE: Final = 0x400 | 0x800 | 0x2000 | 0x8000  # IN_DELETE_SELF, IN_MOVE_SELF, IN_UNMOUNT, IN_IGNORED
_IGNORED: Final = 0x8000
_CREATED: Final = 0x80 | 0x100  # IN_MOVED_TO: from a folder that is not watched, perhaps
_DIRECTORY: Final = 1 << 30
_OVERFLOW: Final = 0x4000
_CLOSED: Final = 0x8  # IN_CLOSE_WRITE changes nothing that is kept
NAMES_MAX: Final = 32_768


class Coherence:
    """The events of one tree. ``changes`` counts them."""

    def __init__(self, fd: int, watch: "Callable[[int, Callable[[], None]], Callable[[], None] | None]") -> None:
        self._fd = fd
        self.guests = HostWatch(lambda: watch(self._fd, self.refresh), self.refresh)
        self._folders: WeakValueDictionary[int, GoferInode] = WeakValueDictionary()
        self._names = 0
        self.changes = 0
        #: names that others have made: one may be a further name of any file, of which the file's own folder never hears
        self.foreign_names = 0

    def close(self) -> None:
        """Give the descriptor back. Idempotent."""
        self.guests.close()
        if self._fd >= 0:
            close_descriptor(self._fd)
            self._fd = -1

    def follow(self, folder: "GoferInode") -> None:
        """``folder`` has a watch now."""
        self._folders[folder.watch] = folder

    def keep(self, folder: "GoferInode", name: bytes, child: "GoferInode | None") -> None:
        """Remember a name, or its absence, until the host changes it."""
        if folder.watch:
            if self._names >= NAMES_MAX:
                self._forget_all()
            if name not in folder.names:
                self._names += 1
            folder.names[name] = child

    def refresh(self) -> None:
        """Take in what has changed up to now."""
        while (data := read_events(self._fd)) is not None:
            position = 0
            while position < len(data):
                watch, mask, cookie, length = _EVENT.unpack_from(data, position)
                position += _EVENT.size
                self._take(watch, mask, cookie, data[position : position + length].rstrip(b"\0"))
                position += length

    def _take(self, watch: int, mask: int, cookie: int, name: bytes) -> None:
        self.changes += 1
        if mask & _CREATED and not mask & _DIRECTORY:
            self.foreign_names += 1
        if mask & _OVERFLOW:
            self._forget_all()
            return
        folder = self._folders.get(watch)
        if folder is None:
            return
        self.guests.hear(folder, watch, mask, cookie, name)
        if mask & _CLOSED:
            return
        folder.is_current = False
        if name:
            child = folder.names.pop(name, None) if mask & _NAME_CHANGED else folder.names.get(name)
            if child is not None:
                child.is_current = False
        if mask & _FOLDER_GONE:
            folder.names.clear()
            if mask & _IGNORED:
                folder.watch = 0

    def own_name(self, folder: "GoferInode") -> None:
        """We have made a new file in ``folder``: the event that tells of it is no further name of another."""
        if folder.watch:
            self.foreign_names -= 1

    def _forget_all(self) -> None:
        self._names = 0
        for folder in list(self._folders.values()):
            folder.is_current = False
            folder.names.clear()
