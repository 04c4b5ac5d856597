"""Watches folders of a shared tree, so that the sentry may keep what it knows until the host changes something.

The inotify(7) descriptor is donated to the sentry, which looks into it before it trusts its cache: the kernel queues an event
before the call that caused it returns, so nothing stale is ever served. Network file systems tell nothing of other clients'
changes and are not watched.
"""

import os

from gofer._sys._native import lib

WATCHES_MAX = 8192


class Watches:
    """The watches of one attached tree; nodes of the same folder share one."""

    __slots__ = ("_uses", "fd")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._uses: dict[int, int] = {}

    def add(self, fd: int) -> tuple[int, bool]:
        """Watch a folder for one node; returns (watch or 0 if there can be no more, whether it is new)."""
        if len(self._uses) >= WATCHES_MAX:
            return 0, False
        watch: int = lib.gofer_watch(self.fd, fd)
        if watch <= 0:
            return 0, False
        uses = self._uses.get(watch, 0)
        self._uses[watch] = uses + 1
        return watch, not uses

    def release(self, watch: int) -> None:
        """A node of that folder is gone."""
        uses = self._uses.get(watch, 0) - 1
        if uses > 0:
            self._uses[watch] = uses
        elif not uses:
            del self._uses[watch]
            lib.gofer_unwatch(self.fd, watch)

    def close(self) -> None:
        """Nothing is watched any more."""
        os.close(self.fd)


def start() -> Watches | None:
    """A new set of watches; None if this host gives no descriptor."""
    fd = lib.gofer_inotify()
    return Watches(fd) if fd >= 0 else None
