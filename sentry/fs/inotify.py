"""inotify(7): a queue of what happened to watched inodes. Linux: fs/notify/inotify/."""

from typing import TYPE_CHECKING, Final

from sentry.fs.anon import AnonFile
from sentry.vfs.readiness import POLLIN, POLLRDNORM
from syscalls.abi.errno import EEXIST, EINVAL, ENOSPC
from syscalls.abi.errors import SyscallError
from syscalls.abi.inotify import (
    IN_ALL_EVENTS,
    IN_EXCL_UNLINK,
    IN_IGNORED,
    IN_ISDIR,
    IN_MASK_ADD,
    IN_MASK_CREATE,
    IN_ONESHOT,
    IN_Q_OVERFLOW,
    INOTIFY_EVENT,
)
from syscalls.abi.ioctl import FIONREAD

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.context import Path
    from sentry.vfs.inode import Inode
    from sentry.vfs.io import Sink

EVENTS_MAX: Final = 16_384
WATCHES_MAX: Final = 65_536
_NAME_ALIGN: Final = 16
_KEPT: Final = IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK


class InotifyWatch:
    """One watch; ``path`` keeps the watched dentry, and with it the inode, in the cache."""

    __slots__ = ("file", "inode", "mask", "path", "wd")

    def __init__(self, file: "InotifyFile", wd: int, path: "Path", mask: int) -> None:
        self.file = file
        self.wd = wd
        self.path = path
        self.inode = path.inode
        self.mask = mask

    def deliver(self, mask: int, cookie: int, name: bytes) -> None:
        """Queue the event if it is wanted; a one-shot watch is spent by it."""
        if mask & self.mask & IN_ALL_EVENTS:
            self.file.push(self.wd, mask, cookie, name)
            if self.mask & IN_ONESHOT:
                self.vanish()

    def vanish(self) -> None:
        """The watch ends; its owner is told."""
        self.file.remove(self.wd)


class InotifyFile(AnonFile):
    """An inotify instance."""

    __slots__ = ("_by_inode", "_events", "_next_wd", "_watches")

    has_async = True

    def __init__(self, inode: "Inode", flags: int) -> None:
        super().__init__(inode, flags)
        self._events: list[bytes] = []
        self._watches: dict[int, InotifyWatch] = {}
        self._by_inode: dict[Inode, InotifyWatch] = {}
        self._next_wd = 1

    def add(self, path: "Path", mask: int) -> int:
        """Watch ``path`` and return the descriptor, which is the old one for a known inode. Errors: EEXIST, ENOSPC."""
        inode = path.inode
        watch = self._by_inode.get(inode)
        if watch is not None:
            if mask & IN_MASK_CREATE:
                raise SyscallError(EEXIST)
            kept = mask & _KEPT
            watch.mask = watch.mask | kept if mask & IN_MASK_ADD else kept
            return watch.wd
        if len(self._watches) >= WATCHES_MAX:
            raise SyscallError(ENOSPC)
        watch = InotifyWatch(self, self._next_wd, path, mask & _KEPT)
        self._next_wd += 1
        self._watches[watch.wd] = self._by_inode[inode] = watch
        if inode.watches is None:
            inode.watches = []
        inode.watches.append(watch)
        inode.watch_added()
        return watch.wd

    def remove(self, wd: int) -> None:
        """End a watch; IN_IGNORED is queued. Errors: EINVAL."""
        watch = self._watches.pop(wd, None)
        if watch is None:
            raise SyscallError(EINVAL)
        self._forget(watch)
        self.push(wd, IN_IGNORED, 0, b"")

    def push(self, wd: int, mask: int, cookie: int, name: bytes) -> None:
        """Queue an event; equal to the last one it is dropped, beyond the limit the overflow is told once."""
        events = self._events
        if len(events) >= EVENTS_MAX:
            overflow = INOTIFY_EVENT.pack(-1, IN_Q_OVERFLOW, 0, 0)
            if events[-1] != overflow:
                events.append(overflow)
            return
        room = len(name) + 1 + (-(len(name) + 1) % _NAME_ALIGN) if name else 0
        event = INOTIFY_EVENT.pack(wd, mask & (IN_ALL_EVENTS | IN_ISDIR | IN_IGNORED), cookie, room) + name.ljust(room, b"\0")
        if not events or events[-1] != event:
            events.append(event)
        self.queue.wake(POLLIN | POLLRDNORM)

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Move whole events. Errors: EINVAL if not even the first fits, EFAULT."""
        if not self._events:
            return None
        taken, size = 0, 0
        for event in self._events:
            if size + len(event) > sink.remaining:
                break
            taken += 1
            size += len(event)
        if not taken:
            raise SyscallError(EINVAL)
        count = sink.put(b"".join(self._events[:taken]))
        del self._events[:taken]
        return count

    def readiness(self) -> int:
        """Readable while events wait."""
        return POLLIN | POLLRDNORM if self._events else 0

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """FIONREAD: bytes that wait. Errors: ENOTTY."""
        if request != FIONREAD:
            return super().ioctl(task, request, argument)
        task.memory.write_u32(argument, sum(map(len, self._events)))
        return 0

    def close(self) -> None:
        """All watches end."""
        for watch in self._watches.values():
            self._forget(watch)
        self._watches.clear()

    def describe(self) -> bytes:
        """/proc/PID/fd text."""
        return b"anon_inode:inotify"

    def fdinfo(self) -> bytes:
        """Lines of /proc/PID/fdinfo/N."""
        return b"".join(
            b"inotify wd:%x ino:%x sdev:%x mask:%x ignored_mask:0\n"
            % (watch.wd, watch.inode.attr.ino, watch.inode.fs.dev, watch.mask)
            for watch in self._watches.values()
        )

    def _forget(self, watch: InotifyWatch) -> None:
        inode = watch.inode
        self._by_inode.pop(inode, None)
        if inode.watches is not None and watch in inode.watches:
            inode.watches.remove(watch)
            inode.watch_removed()
