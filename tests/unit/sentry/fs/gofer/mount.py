"""A gofer process, its client and a small event loop, for the tests of the file system."""

import os
import select
from collections.abc import Callable, Coroutine
from functools import partial
from time import monotonic_ns
from typing import Any

from gofer import launch
from gofer.protocol.config import Config, Tree
from sentry.fs.gofer.client import GoferClient
from sentry.fs.gofer.filesystem import GoferFileSystem
from sentry.host.gofer_channel import GoferChannel
from sentry.sched.fiber import Fiber
from sentry.sched.runner import Runner
from sentry.vfs.context import OpenContext


def drive(coro: Coroutine[Any, Any, Any]) -> Any:
    """Run what waits by blocking (no fiber is current)."""
    try:
        coro.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("suspended outside a fiber")


class Loop:
    """``Platform.watch`` and an event loop over poll(2)."""

    def __init__(self) -> None:
        self.runner = Runner(monotonic_ns)
        self._watched: dict[int, tuple[int, Callable[[int], None]]] = {}

    def watch(self, fd: int, events: int, ready: Callable[[int], None]) -> Callable[[], None]:
        key = fd if events & select.POLLIN else -fd
        self._watched[key] = (events, ready)
        return lambda: self._watched.pop(key, None) and None

    def run(self, *coros: Coroutine[Any, Any, Any]) -> list[Any]:
        """Run all at once, each in its own fiber; an exception is its result."""
        results: dict[int, Any] = {}
        for index, coro in enumerate(coros):
            keep = partial(results.__setitem__, index)
            fiber = Fiber(self.runner, keep, keep)
            fiber.start(coro)
        while True:
            self.runner.run_ready()
            if len(results) == len(coros):
                break
            if not self.runner.ready:
                self.poll()
        return [results[index] for index in range(len(coros))]

    def poll(self) -> None:
        poller = select.poll()
        masks: dict[int, int] = {}
        for key, (events, _) in self._watched.items():
            masks[abs(key)] = masks.get(abs(key), 0) | events
        for fd, mask in masks.items():
            poller.register(fd, mask)
        for fd, revents in poller.poll(2000):
            for key in (fd, -fd):
                entry = self._watched.get(key)
                if entry is not None and revents & (entry[0] | select.POLLHUP):
                    entry[1](revents)


class Mount:
    """One exported folder, mounted."""

    def __init__(self, folder: object, *, is_shared: bool, with_loop: bool = False, **options: object) -> None:
        self.loop = Loop()
        self.process = launch.start(Config((Tree(os.fsencode(str(folder)), **options),)))  # type: ignore[arg-type]
        self.process.wait_ready()
        channel = GoferChannel(os.dup(self.process.channel_fd))
        self.process.close_channel()
        self.closed = 0
        self.client = GoferClient(channel, self.loop.runner, self.loop.watch if with_loop else None, self._count)
        self.fs = GoferFileSystem(7, self.client, is_shared=is_shared)

    def _count(self) -> None:
        self.closed += 1

    def at(self, path: str) -> Any:
        """The inode at a path (symbolic links are not followed)."""
        inode: Any = self.fs.root
        names = [name.encode() for name in path.split("/") if name]
        while names:
            found = drive(inode.lookup_many(names))
            inode = found[-1]
            if inode is None:
                return None
            names = names[len(found) :]
        return inode

    def open(self, path: str, flags: int = 0) -> Any:
        return drive(self.at(path).open(OpenContext(None, flags, None))).acquire()  # type: ignore[arg-type]

    def close(self) -> None:
        self.fs.release()
        self.client.close()
        assert self.process.stop() == 0


class HostSink:
    """A sink over bytes that can also read from a host file."""

    def __init__(self, length: int) -> None:
        self.remaining = length
        self.data = b""

    def put(self, data: bytes) -> int:
        data = bytes(data[: self.remaining])
        self.data += data
        self.remaining -= len(data)
        return len(data)

    def put_from_host(self, fd: int, offset: int, length: int) -> int:
        return self.put(os.pread(fd, min(length, self.remaining), offset))


class HostSource:
    """A source over bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.remaining = len(data)

    def take(self, length: int) -> bytes:
        data, self.data = self.data[:length], self.data[length:]
        self.remaining = len(self.data)
        return data

    def take_to_host(self, fd: int, offset: int, length: int) -> int:
        return os.pwrite(fd, self.take(length), offset)
