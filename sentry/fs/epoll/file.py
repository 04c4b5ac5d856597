"""An epoll instance (epoll(7)): interest list and ready list, so that a wait costs what is ready, not what is watched.

Linux: fs/eventpoll.c, ep_poll_callback(), ep_send_events().
"""

from collections import deque
from typing import TYPE_CHECKING

from sentry.fs.anon import AnonFile
from sentry.fs.epoll.item import Item
from sentry.vfs.file import FileDescription
from sentry.vfs.mount import make_dev
from sentry.vfs.readiness import READABLE
from syscalls.abi.epoll import (
    EPOLLERR,
    EPOLLET,
    EPOLLEXCLUSIVE,
    EPOLLHUP,
    EPOLLIN,
    EPOLLONESHOT,
    EPOLLOUT,
    EPOLLWAKEUP,
)
from syscalls.abi.errno import EEXIST, EINVAL, ELOOP, ENOENT, ENOSPC, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFCHR, S_IFDIR, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.inode import Inode

NESTING_MAX = 4
_RANDOM = make_dev(1, 8)  # /dev/random can be waited for, unlike its brothers
WATCHES_MAX = 65_536
_EXCLUSIVE_ALLOWED = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE


class EpollFile(AnonFile):
    """Items are keyed by number and description, since one number may be watched again after a dup and a close."""

    __slots__ = ("_items", "_ready")

    def __init__(self, inode: "Inode", flags: int) -> None:
        super().__init__(inode, flags)
        self._items: dict[tuple[int, int], Item] = {}
        self._ready: deque[Item] = deque()

    def add(self, fd: int, file: FileDescription, events: int, data: int) -> None:
        """EPOLL_CTL_ADD. Errors: EEXIST, EPERM not pollable, EINVAL itself or a wrong EPOLLEXCLUSIVE, ELOOP, ENOSPC."""
        check_pollable(file)
        if file is self:
            raise SyscallError(EINVAL)
        if events & EPOLLEXCLUSIVE and (events & ~_EXCLUSIVE_ALLOWED or isinstance(file, EpollFile)):
            raise SyscallError(EINVAL)
        if isinstance(file, EpollFile):
            self._check_loop(file)
        key = (fd, id(file))
        if key in self._items:
            raise SyscallError(EEXIST)
        if len(self._items) >= WATCHES_MAX:
            raise SyscallError(ENOSPC)
        item = Item(self, fd, file)
        item.modify(events, data)
        self._items[key] = item
        item.attach()
        if item.poll():
            self.note_ready(item)

    def modify(self, fd: int, file: FileDescription, events: int, data: int) -> None:
        """EPOLL_CTL_MOD. Errors: ENOENT, EINVAL with EPOLLEXCLUSIVE, EPERM."""
        check_pollable(file)
        if file is self:
            raise SyscallError(EINVAL)
        item = self._items.get((fd, id(file)))
        if events & EPOLLEXCLUSIVE:
            raise SyscallError(EINVAL)
        if item is None:
            raise SyscallError(ENOENT)
        if item.events & EPOLLEXCLUSIVE:
            raise SyscallError(EINVAL)
        item.modify(events, data)
        if item.poll():
            self.note_ready(item)

    def remove(self, fd: int, file: FileDescription) -> None:
        """EPOLL_CTL_DEL. Errors: ENOENT, EPERM."""
        check_pollable(file)
        if file is self:
            raise SyscallError(EINVAL)
        item = self._items.get((fd, id(file)))
        if item is None:
            raise SyscallError(ENOENT)
        self.forget(item)

    def watched(self, fd: int, offset: int) -> FileDescription | None:
        """What is watched as ``fd``, the one after ``offset`` others of that number; None: there are fewer (kcmp(2))."""
        files = [item.file for item in self._items.values() if item.fd == fd]
        return files[offset] if offset < len(files) else None

    def forget(self, item: Item) -> None:
        """Drop ``item``: removed, or its file is closed."""
        self._items.pop((item.fd, id(item.file)), None)
        item.detach()
        if item.is_listed:
            item.is_listed = False
            self._ready.remove(item)

    def note_ready(self, item: Item, mask: int = READABLE) -> None:
        """``item`` may be ready: list it and wake whoever waits."""
        if not item.is_listed:
            item.is_listed = True
            self._ready.append(item)
        if self.queue:
            self.queue.wake(READABLE)

    def collect(self, maxevents: int) -> list[tuple[int, Item]]:
        """Take up to ``maxevents`` items whose events hold now; ``commit`` or ``put_back`` must follow at once."""
        found: list[tuple[int, Item]] = []
        ready = self._ready
        while ready and len(found) < maxevents:
            item = ready.popleft()
            events = item.poll()
            if events:
                found.append((events, item))
            else:
                item.is_listed = False
        return found

    def commit(self, found: list[tuple[int, Item]]) -> None:
        """``found`` has been reported: consume edges and one-shots.

        Items that stay ready go to the end of the list, so that a busy one starves nobody (epoll_wait(2), NOTES).
        """
        for _, item in found:
            if item.events & EPOLLONESHOT:
                item.sleep()
                item.is_listed = False
            elif item.events & EPOLLET:
                item.is_listed = False
            else:
                self._ready.append(item)

    def put_back(self, found: list[tuple[int, Item]]) -> None:
        """``found`` could not be reported."""
        self._ready.extendleft(item for _, item in reversed(found))

    def readiness(self) -> int:
        """Readable while an item is ready: an epoll descriptor can be polled and nested."""
        ready = self._ready
        while ready:
            if ready[0].poll():
                return READABLE
            ready.popleft().is_listed = False
        return 0

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """No request here is known; the errno is another than usual (Linux: ep_eventpoll_ioctl()). Errors: EINVAL."""
        raise SyscallError(EINVAL)

    def close(self) -> None:
        """Stop listening to everything."""
        for item in list(self._items.values()):
            item.detach()
        self._items.clear()
        self._ready.clear()

    def fdinfo(self) -> bytes:
        """Lines of /proc/PID/fdinfo/N."""
        line = b"tfd: %8d events: %8x data: %16x  pos:%d ino:%x sdev:%x\n"
        return b"".join(
            line % (item.fd, item.shown_events, item.data, item.file.offset, item.file.inode.attr.ino, item.file.inode.fs.dev)
            for item in self._items.values()
        )

    def _check_loop(self, file: "EpollFile") -> None:
        """Errors: ELOOP when ``file`` leads back here or more than five instances would hang together (epoll_ctl(2))."""
        if file._depth_below(self, 0) + 1 + self._depth_above(0) > NESTING_MAX:
            raise SyscallError(ELOOP)

    def _depth_below(self, origin: "EpollFile", level: int) -> int:
        if self is origin or level > NESTING_MAX:
            raise SyscallError(ELOOP)
        below = (item.file for item in self._items.values())
        return max((1 + file._depth_below(origin, level + 1) for file in below if isinstance(file, EpollFile)), default=0)

    def _depth_above(self, level: int) -> int:
        if level > NESTING_MAX:
            raise SyscallError(ELOOP)
        return max((1 + watcher._depth_above(level + 1) for watcher in self._watchers()), default=0)

    def _watchers(self) -> list["EpollFile"]:
        owners = (getattr(callback, "__self__", None) for callback in self.on_release or ())
        return [owner.epoll for owner in owners if isinstance(owner, Item)]


def check_pollable(file: FileDescription) -> None:
    """Errors: EPERM for what is always ready: regular files, directories, /dev/null and its kin (epoll_ctl(2))."""
    kind = file.inode.attr.mode & S_IFMT
    if type(file).readiness is not FileDescription.readiness and kind == S_IFREG:
        return  # a message queue, which does become ready
    if kind in (S_IFREG, S_IFDIR) or (kind == S_IFCHR and file.is_endless and file.inode.attr.rdev != _RANDOM):
        raise SyscallError(EPERM)
