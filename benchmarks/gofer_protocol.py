"""What the gofer costs, without a sandbox around it: requests a second, a large folder, a whole tree.

Run: ``.venv/bin/python -m benchmarks.gofer_protocol``. Prints one line per measurement, with the host's own time beside it.
"""

import os
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from gofer import launch
from gofer.protocol import message as m
from gofer.protocol.config import Config, Tree
from sentry.fs.gofer.client import GoferClient
from sentry.fs.gofer.filesystem import GoferFileSystem
from sentry.fs.gofer.inode import GoferInode
from sentry.host.gofer_channel import GoferChannel
from sentry.sched.runner import Runner


def drive(coro: Coroutine[Any, Any, Any]) -> Any:
    try:
        coro.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("suspended outside a fiber")


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = act()
    return time.perf_counter() - started, result


def mount(folder: str) -> tuple[launch.GoferProcess, GoferClient, GoferFileSystem]:
    process = launch.start(Config((Tree(os.fsencode(folder)),)))
    process.wait_ready()
    client = GoferClient(GoferChannel(os.dup(process.channel_fd)), Runner(time.monotonic_ns), None, lambda: None)
    process.close_channel()
    return process, client, GoferFileSystem(1, client)


def walk(folder: GoferInode) -> int:
    count = 0
    for entry in drive(folder.read_children()):
        child = drive(folder.lookup(entry.name))
        count += 1
        if entry.type == 4:
            count += walk(child)
    return count


def walk_host(folder: str) -> int:
    count = 0
    for path, folders, files in os.walk(folder):
        for name in folders + files:
            os.lstat(os.path.join(path, name))
            count += 1
    return count


def main() -> None:
    took, process = timed(lambda: mount("/"))
    process, client, fs = process
    print(f"start to first answer      {took * 1e3:8.1f} ms")
    count = 5000
    took, _ = timed(lambda: [client.call_blocking(m.GETATTR, fs.root.place(), 0) for _ in range(count)])
    print(f"getattr                    {count / took:8.0f} /s")
    took, _ = timed(lambda: [client.call_blocking(m.WALK, (fs.root.node, (b"usr", b"lib", b"none"))) for _ in range(count)])
    print(f"walk of three components   {count / took:8.0f} /s")
    include = drive(fs.root.lookup_many([b"usr", b"include"]))[-1]
    before = client.requests
    took, found = timed(lambda: walk(include))
    native, _ = timed(lambda: walk_host("/usr/include"))
    requests = client.requests - before
    detail = f"{found} objects, {requests} requests; os.walk with lstat {native * 1e3:.1f} ms"
    print(f"walk of /usr/include       {took * 1e3:8.1f} ms  ({detail})")
    client.close()
    process.stop()
    with tempfile.TemporaryDirectory() as folder:
        for index in range(10_000):
            Path(folder, f"entry-{index:05}").touch()
        process, client, fs = mount(folder)
        took, entries = timed(lambda: drive(fs.root.read_children()))
        native, _ = timed(lambda: walk_host(folder))
        print(f"readdir of {len(entries)} entries   {took * 1e3:8.1f} ms  (os.walk with lstat {native * 1e3:.1f} ms)")
        client.close()
        process.stop()


if __name__ == "__main__":
    main()
