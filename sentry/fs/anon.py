"""Anonymous inodes: what eventfd, timerfd, epoll and their kin are opened on (Linux: fs/anon_inodes.c)."""

from typing import TYPE_CHECKING

from sentry.vfs.file import FileDescription
from sentry.vfs.inode import Inode
from sentry.vfs.stat import Attr

if TYPE_CHECKING:
    from sentry.kernel.kernel import Kernel

_MODE_ANON = 0o600  # Linux's anonymous inode has no file type


class AnonInode(Inode):
    """``kind`` is the word in ``anon_inode:[eventfd]``."""

    __slots__ = ("kind",)

    def __init__(self, kernel: "Kernel", kind: bytes) -> None:
        fs = kernel.pseudo.anon
        now = kernel.realtime_ns()
        super().__init__(fs, Attr(ino=fs.next_ino(), mode=_MODE_ANON, atime_ns=now, mtime_ns=now, ctime_ns=now))
        self.kind = kind


class AnonFile(FileDescription):
    """Base of files without a path."""

    __slots__ = ()

    is_endless = True
    can_splice_from = can_splice_to = False

    def describe(self) -> bytes:
        """The text of /proc/PID/fd/N."""
        inode = self.inode
        assert isinstance(inode, AnonInode)
        return b"anon_inode:[" + inode.kind + b"]"


def anon_inode(kernel: "Kernel", kind: bytes) -> AnonInode:
    """Return a fresh anonymous inode of ``kind``."""
    return AnonInode(kernel, kind)
