"""The event loop of the network gofer: descriptors, the stack's timers, and work that a wake-up in the stack has asked for."""

import select
import time
from collections.abc import Callable
from typing import Protocol

from sentry.netstack.stack import Stack

_EVENTS_MAX = 64
_MS = 1_000_000


class Ready(Protocol):
    """Something with work to do once the stack has been left."""

    def run(self) -> None:
        """Do it."""


class Loop:
    """``later`` is for wakers: the stack must not be entered from within itself."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._later: dict[Ready, None] = {}

    @staticmethod
    def now() -> int:
        """Monotonic nanoseconds."""
        return time.monotonic_ns()

    def watch(self, fd: int, events: int, ready: Callable[[int], None]) -> None:
        """Call ``ready`` with what is there of ``events``; again with others: they replace the first."""
        if fd in self._callbacks:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._callbacks[fd] = ready

    def forget(self, fd: int) -> None:
        """Before it is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def later(self, work: Ready) -> None:
        """Run ``work`` once before the next wait."""
        self._later[work] = None

    def run(self, is_over: Callable[[], bool]) -> None:
        """Until ``is_over``."""
        while not is_over():
            self.step()

    def step(self, *, may_wait: bool = True) -> None:
        """Do what is asked for, then what has happened by then, at least one thing if it ``may_wait``."""
        stack = self.stack
        while self._later:
            work, self._later = self._later, {}
            for one in work:
                one.run()
        deadline = stack.next_deadline()
        timeout = 0.0
        if may_wait:
            timeout = -1.0 if deadline is None else max(0, deadline - self.now() + _MS - 1) // _MS / 1000
        happened = [(self._callbacks.get(fd), fd, events) for fd, events in self._epoll.poll(timeout, _EVENTS_MAX)]
        for callback, fd, events in happened:
            # An earlier callback may have closed it, and a new descriptor may have the number by now.
            if callback is not None and self._callbacks.get(fd) is callback:
                callback(events)
        if deadline is not None:
            now = self.now()
            if now >= deadline:
                stack.poll(now)
