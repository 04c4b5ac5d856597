"""tmpfs(5): a file system in memory."""

from collections.abc import Callable
from typing import Final

from sentry.fs.tmpfs.directory import Directory
from sentry.fs.tmpfs.node import Node, Special, Symlink
from sentry.fs.tmpfs.regular import RegularFile
from sentry.fs.tmpfs.storage import StoragePool
from sentry.vfs.inode import FileSystem
from sentry.vfs.stat import Attr, StatFs
from syscalls.abi.errno import ENOSPC
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG

TMPFS_MAGIC: Final = 0x01021994
INODES_MAX: Final = 1_000_000
_PAGE: Final = 4096
# st_size of an empty directory: two entries
_DIRECTORY_SIZE: Final = 40


class TmpFileSystem(FileSystem):
    """One instance. ``now`` is the wall clock in nanoseconds; ``pool`` holds the bytes and their limit."""

    name = b"tmpfs"
    has_whiteouts = True

    def __init__(
        self,
        dev: int,
        now: Callable[[], int],
        pool: StoragePool | None = None,
        *,
        mode: int = 0o1777,
        uid: int = 0,
        gid: int = 0,
        inodes_max: int = INODES_MAX,
        first_ino: int = 1,
    ) -> None:
        super().__init__(dev)
        self.now = now
        self.pool = pool if pool is not None else StoragePool()
        self.inodes_max = inodes_max
        self.inodes_used = 0
        self._next_ino = first_ino
        self.root = self._make_root(mode, uid, gid)

    def make(self, mode: int, uid: int, gid: int, *, rdev: int = 0) -> Node:
        """A new inode of the type in ``mode``, in no directory yet. Errors: ENOSPC at the limit of inodes."""
        attr = self.new_attr(mode, uid, gid)
        kind = mode & S_IFMT
        if kind == S_IFREG:
            return RegularFile(self, attr)
        if kind == S_IFDIR:
            attr.nlink, attr.size = 2, _DIRECTORY_SIZE
            return self.make_directory(attr)
        attr.rdev = rdev
        return Special(self, attr)

    def make_directory(self, attr: Attr) -> Directory:
        """A new empty directory."""
        return Directory(self, attr)

    def make_symlink(self, target: bytes, uid: int, gid: int) -> Node:
        """A new symbolic link."""
        attr = self.new_attr(S_IFLNK | 0o777, uid, gid)
        attr.size = len(target)
        node = Symlink(self, attr)
        node.link_text = target
        return node

    def new_attr(self, mode: int, uid: int, gid: int) -> Attr:
        """Attributes of something born now. Errors: ENOSPC."""
        if self.inodes_used >= self.inodes_max:
            raise SyscallError(ENOSPC)
        now = self.now()
        ino = self._next_ino
        self._next_ino += 1
        return Attr(ino, mode, 1, uid, gid, 0, 0, _PAGE, 0, now, now, now, now)

    async def statfs(self) -> StatFs:
        """Totals by the limits; 0 blocks where there is none, as Linux shows it."""
        pool = self.pool
        total = 0 if pool.bytes_max is None and pool.limits is None else pool.bytes_used + pool.room()
        free = pool.room() // _PAGE if total else 0
        return StatFs(
            TMPFS_MAGIC,
            bsize=_PAGE,
            blocks=total // _PAGE,
            bfree=free,
            bavail=free,
            files=self.inodes_max,
            ffree=max(0, self.inodes_max - self.inodes_used),
            fsid=self.dev,
        )

    def mount_options(self) -> bytes:
        """size= and mode=, as /proc/mounts shows them."""
        words = []
        if self.pool.bytes_max is not None:
            words.append(b"size=%dk" % (self.pool.bytes_max >> 10))
        mode = self.root.attr.mode & 0o7777
        if mode != 0o1777:
            words.append(b"mode=%o" % mode)
        return b",".join(words)

    def _make_root(self, mode: int, uid: int, gid: int) -> Node:
        return self.make(S_IFDIR | mode, uid, gid)
