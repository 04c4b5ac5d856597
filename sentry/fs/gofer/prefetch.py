"""Guesses which files of a folder will be opened next, so that one request opens several (grep -r, tar, cp -r, git add).

Programs go through a folder in the order of its listing, of the inode numbers (tar, cp) or of the names. A guess is made only
after several opens in a row have followed one of these orders. Only trees that do not change are read ahead.
"""

from typing import TYPE_CHECKING, Final

from sentry.host.gofer_channel import close_descriptor

if TYPE_CHECKING:
    from sentry.fs.gofer.inode import GoferInode
    from sentry.fs.gofer.record import Listing

AHEAD: Final = 15
ROW_MIN: Final = 2
KEPT_MAX: Final = 64
S_IFMT, S_IFREG = 0o170000, 0o100000


class _Order:
    """One order of a folder's regular files, and how far the opens have followed it."""

    __slots__ = ("_at", "_last", "_names", "row")

    def __init__(self, names: list[bytes]) -> None:
        self._names = names
        self._at = {name: index for index, name in enumerate(names)}
        self._last = -2
        self.row = 0

    def note(self, name: bytes) -> None:
        index = self._at.get(name, -2)
        self.row = self.row + 1 if index == self._last + 1 else 0
        self._last = index

    def after(self) -> list[bytes]:
        return self._names[self._last + 1 : self._last + 1 + AHEAD]


class OpenPattern:
    """The orders of one folder."""

    __slots__ = ("_orders",)

    def __init__(self, listing: "Listing") -> None:
        files = [(name, ino) for name, ino, mode, _ in listing.heads() if mode & S_IFMT == S_IFREG]
        listed = [name for name, _ in files]
        by_ino = [name for name, _ in sorted(files, key=lambda file: file[1])]
        self._orders = [_Order(listed), _Order(by_ino), _Order(sorted(listed))]

    def note(self, name: bytes) -> None:
        """``name`` is being opened."""
        for order in self._orders:
            order.note(name)

    def guess(self) -> list[bytes]:
        """The names that will probably be opened next."""
        best = max(self._orders, key=lambda order: order.row)
        return best.after() if best.row >= ROW_MIN else []


class Prefetched:
    """Descriptors that nobody has asked for yet, by folder and name; the oldest are closed for room."""

    __slots__ = ("_fds", "_kept_max")

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._kept_max = kept_max
        self._fds: dict[tuple[GoferInode, bytes], tuple[int, int]] = {}

    def put(self, folder: "GoferInode", name: bytes, ino: int, fd: int) -> None:
        """Keep ``fd``, which is of the file ``ino``."""
        old = self._fds.pop((folder, name), None)
        if old is not None:
            close_descriptor(old[1])
        self._fds[folder, name] = (ino, fd)
        if len(self._fds) > self._kept_max:
            close_descriptor(self._fds.pop(next(iter(self._fds)))[1])

    def take(self, inode: "GoferInode") -> int:
        """The descriptor of ``inode``, or -1."""
        if inode.parent is None or not self._fds:
            return -1
        ino, fd = self._fds.pop((inode.parent, inode.name), (0, -1))
        if fd >= 0 and ino != inode.attr.ino:
            close_descriptor(fd)
            return -1
        return fd

    def has(self, folder: "GoferInode", name: bytes) -> bool:
        """Whether it is kept already."""
        return (folder, name) in self._fds

    def clear(self) -> None:
        """Close all."""
        for _, fd in self._fds.values():
            close_descriptor(fd)
        self._fds.clear()
