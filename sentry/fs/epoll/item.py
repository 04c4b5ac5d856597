"""One watched descriptor of an epoll instance (Linux: struct epitem)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sentry.vfs.file import FileDescription
from syscalls.abi.epoll import EPOLLERR, EPOLLET, EPOLLEXCLUSIVE, EPOLLHUP, EPOLLONESHOT, EPOLLWAKEUP

if TYPE_CHECKING:
    from sentry.fs.epoll.file import EpollFile

PRIVATE = EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP
_ALWAYS = EPOLLERR | EPOLLHUP


class Item:
    """``events`` are the wanted bits with the behaviour bits; without wanted bits a spent one-shot item is asleep."""

    __slots__ = ("_unqueue", "data", "epoll", "events", "fd", "file", "is_listed", "wanted")

    def __init__(self, epoll: "EpollFile", fd: int, file: FileDescription) -> None:
        self.epoll = epoll
        self.fd = fd
        self.file = file
        self.data = 0
        self.events = 0
        self.wanted = 0
        self.is_listed = False
        self._unqueue: Callable[[], None] | None = None

    def modify(self, events: int, data: int) -> None:
        """Set the interest; ERR and HUP are always reported (epoll_ctl(2))."""
        self.events = events
        self.data = data
        self.wanted = (events & ~PRIVATE) | _ALWAYS

    @property
    def shown_events(self) -> int:
        """As /proc/PID/fdinfo shows them: with those that are always reported, unless a one-shot item is spent."""
        return self.events | self.wanted & _ALWAYS

    def attach(self) -> None:
        """Start to listen to the file. It is forgotten with its last descriptor.

        EPOLLEXCLUSIVE promises that one or more instances are woken (epoll_ctl(2)); here all are.
        """
        file = self.file
        if file.on_release is None:
            file.on_release = []
        file.on_release.append(self._file_closed)
        self._unqueue = file.queue.enqueue(self._woken)

    def detach(self) -> None:
        """Stop listening."""
        if self._unqueue is not None:
            self._unqueue()
            self._unqueue = None
        callbacks = self.file.on_release
        if callbacks is not None and self._file_closed in callbacks:
            callbacks.remove(self._file_closed)

    def sleep(self) -> None:
        """EPOLLONESHOT: nothing more until epoll_ctl(MOD)."""
        self.wanted = 0
        self.events &= PRIVATE

    @property
    def is_asleep(self) -> bool:
        """Whether it was a one-shot and has been reported."""
        return not self.wanted

    def poll(self) -> int:
        """The wanted events that hold now."""
        return self.file.readiness() & self.wanted

    def _woken(self, mask: int) -> None:
        if self.wanted & mask:
            self.epoll.note_ready(self, mask)

    def _file_closed(self) -> None:
        self.epoll.forget(self)
