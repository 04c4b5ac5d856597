"""The first descriptors of a container: the caller's pipes and files, or a terminal of the sandbox's own."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sentry.fs.host_stream.file import HostStreamFile, HostStreamInode
from sentry.host.stream import HostStream
from syscalls.abi.fcntl import O_RDONLY, O_RDWR, O_WRONLY

if TYPE_CHECKING:
    from sentry.boot.mounts import MountTree
    from sentry.kernel.kernel import Kernel
    from sentry.vfs.file import FileDescription

Finish = Callable[[Callable[[], None]], None]


def open_streams(
    kernel: "Kernel", message: dict[str, Any], fds: list[int], tree: "MountTree"
) -> "tuple[dict[int, FileDescription], object | None, Finish]":
    """Return the open files by number, the terminal if there is one, and a function that calls its argument once all output
    has reached the caller."""
    streams = {number: HostStream(fd) for number, fd in zip(message["streams"], fds, strict=True)}
    if message["tty"]:
        return _open_terminal(kernel, message, streams, tree)
    files: dict[int, FileDescription] = {}
    uid, gid = message["uid"], message["gid"]
    for number in (0, 1, 2):
        stream = streams.get(number)
        if stream is None:
            files[number] = tree.open_null(O_RDWR)
            continue
        inode = HostStreamInode(kernel.pseudo.pipes, kernel.pseudo.pipes.next_ino(), uid, gid)
        files[number] = HostStreamFile(inode, O_WRONLY if number else O_RDONLY, stream, kernel.platform.watch)  # type: ignore[arg-type]
    return files, None, lambda done: done()


def _open_terminal(
    kernel: "Kernel", message: dict[str, Any], streams: dict[int, HostStream], tree: "MountTree"
) -> "tuple[dict[int, FileDescription], object, Finish]":
    from sentry.fs.tty.console import ConsoleTerminal

    rows, columns = message["rows"], message["cols"]
    console = ConsoleTerminal(kernel, streams.get(0), streams[1], rows=rows, columns=columns, uid=message["uid"])
    file = console.open(O_RDWR, tree.namespace)
    return {0: file, 1: file, 2: file}, console, console.drain
