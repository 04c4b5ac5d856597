"""File systems whose contents the sentry makes up while they are read: proc(5), sysfs(5).

A tree of these is shared by all containers of a sandbox, so what a lookup or a read shows depends on who looks: ``viewer``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakValueDictionary

from sentry.fs.synthetic.text_cache import TextCache
from sentry.vfs.inode import FileSystem, Inode
from sentry.vfs.stat import Attr, StatFs

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel
    from sentry.kernel.task import Task

N = TypeVar("N", bound=Inode)
_INO_MASK: Final = (1 << 62) - 1


class SyntheticFileSystem(FileSystem):
    """Base of proc and sysfs. ``block_size`` is the st_size of its regular files (0 in proc, a page in sysfs)."""

    magic = 0
    file_size = 0

    def __init__(self, kernel: "Kernel") -> None:
        super().__init__(kernel.mounts.allocate_dev())
        self.kernel = kernel
        self.texts = TextCache()
        self._last_ino = 0
        self._known: WeakValueDictionary[object, Inode] = WeakValueDictionary()

    @property
    def viewer(self) -> "Task | None":
        """The task whose system call is under way, None for the sentry's own work."""
        fiber = self.kernel.runner.current
        return None if fiber is None else fiber.owner  # type: ignore[return-value]

    def new_attr(self, mode: int, *, uid: int = 0, gid: int = 0, nlink: int = 1, ino: int = 0) -> Attr:
        """Attributes of something that exists now; a fresh inode number unless one is given."""
        if not ino:
            self._last_ino += 1
            ino = self._last_ino
        now = self.kernel.realtime_ns()
        return Attr(ino, mode, nlink, uid, gid, atime_ns=now, mtime_ns=now, ctime_ns=now, btime_ns=now)

    def ino_of(self, key: object) -> int:
        """The inode number of a thing that comes and goes: the same for the same key."""
        return hash(key) & _INO_MASK | 1 << 32

    def intern(self, key: object, make: Callable[[], N]) -> N:
        """The inode for ``key``: the one in use, if anybody uses it, else a new one."""
        inode = self._known.get(key)
        if inode is None:
            inode = self._known[key] = make()
        return inode  # type: ignore[return-value]

    async def statfs(self) -> StatFs:
        """No blocks, no files."""
        return StatFs(self.magic, fsid=self.dev)
