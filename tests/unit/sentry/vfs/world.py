"""A task with a mount tree and no guest: what the VFS needs of a kernel, for tests in this process."""

from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, TypeVar

from sentry.fs.tmpfs.filesystem import TmpFileSystem
from sentry.kernel.creds import Credentials
from sentry.kernel.fd_table import FdTable
from sentry.kernel.fs_context import FsContext
from sentry.mm.usermem import BytesSink, BytesSource
from sentry.vfs.file import FileDescription
from sentry.vfs.inode import FileSystem
from sentry.vfs.mount import MountTable

T = TypeVar("T")
ALL_CAPS = (1 << 41) - 1


def credentials(uid: int = 0, gid: int | None = None, groups: tuple[int, ...] = ()) -> Credentials:
    """Plain credentials; root has every capability."""
    gid = uid if gid is None else gid
    caps = ALL_CAPS if uid == 0 else 0
    return Credentials(uid, uid, uid, uid, gid, gid, gid, gid, groups, permitted=caps, effective=caps, bounding=ALL_CAPS)


class Clock:
    """A wall clock that moves one microsecond per look."""

    def __init__(self) -> None:
        self.now_ns = 1_700_000_000_000_000_000

    def __call__(self) -> int:
        self.now_ns += 1000
        return self.now_ns


class World:
    """One task over ``root`` (a tmpfs unless given)."""

    def __init__(self, root: FileSystem | None = None, mounts: MountTable | None = None, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.mounts = mounts or MountTable()
        self.root_fs = root or TmpFileSystem(self.mounts.allocate_dev(), self.clock, mode=0o755)
        self.namespace = self.mounts.namespace(self.root_fs)
        self.kernel: Any = SimpleNamespace(mounts=self.mounts, realtime_ns=self.clock, tasks=SimpleNamespace(groups={}))
        self.task = self.new_task()

    def new_task(self, uid: int = 0, **kwargs: Any) -> Any:
        """Another task at the root."""
        root = self.namespace.root_path
        return SimpleNamespace(
            kernel=self.kernel,
            credentials=credentials(uid, **kwargs),
            fds=FdTable(1024),
            fs=FsContext(root, root, 0o022),
            mounts=self.namespace,
            group=object(),
        )


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    coroutine.close()
    raise AssertionError("suspended")


def read(file: FileDescription, offset: int = 0, length: int = 1 << 20) -> bytes:
    """Read like pread(2)."""
    sink = BytesSink(length)
    while sink.remaining:
        position = offset + len(sink.data)
        count = run(file.read_remote(sink, position)) if file.is_remote else file.try_read(sink, position)
        if not count:
            break
    return bytes(sink.data)


def write(file: FileDescription, data: bytes, offset: int = 0) -> int:
    """Write like pwrite(2)."""
    count = file.try_write(BytesSource(data), offset)
    assert count is not None
    return count
