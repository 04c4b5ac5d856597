"""The mqueue file system: one flat directory of POSIX message queues, mounted at /dev/mqueue (mq_overview(7))."""

from typing import TYPE_CHECKING

from sentry.fs.mqueue.node import QueueNode
from sentry.fs.tmpfs.directory import Directory
from sentry.fs.tmpfs.filesystem import TmpFileSystem
from sentry.fs.tmpfs.storage import StoragePool
from sentry.ipc.namespace import IpcNamespace, ipc_of
from sentry.ipc.posix_queue import queue_bytes
from sentry.vfs.context import Path
from sentry.vfs.inode import Inode
from sentry.vfs.stat import Attr, StatFs
from syscalls.abi.errno import EACCES, EMFILE, ENOSPC, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.mqueue import MQUEUE_MAGIC
from syscalls.abi.stat import S_IFMT, S_IFREG

if TYPE_CHECKING:
    from sentry.fs.tmpfs.node import Node
    from sentry.kernel.task import Task

_PAGE = 4096


class QueueDirectory(Directory):
    """Queues have one name, for ever."""

    __slots__ = ()

    async def link(self, name: bytes, inode: Inode) -> None:
        """Errors: EPERM."""
        raise SyscallError(EPERM)

    async def rename(self, name: bytes, inode: Inode, to: Inode, to_name: bytes, replaced: Inode | None, flags: int) -> None:
        """Errors: EPERM."""
        raise SyscallError(EPERM)


class MqueueFileSystem(TmpFileSystem):
    """The queues of one IPC namespace. ``bytes_of`` counts what each user's queues reserve; ``limit`` bounds the next one."""

    name = b"mqueue"

    def __init__(self, dev: int, task: "Task", namespace: IpcNamespace) -> None:
        self.namespace = namespace
        self.bytes_of: dict[int, int] = {}
        self.queues = 0
        #: what mq_open(3) wants of the queue that is made next
        self.wish: tuple[int, int, int, bool] | None = None
        super().__init__(dev, task.kernel.realtime_ns, StoragePool())

    def make(self, mode: int, uid: int, gid: int, *, rdev: int = 0) -> "Node":
        """A queue; nothing else has a place here. Errors: EPERM, ENOSPC, EMFILE (RLIMIT_MSGQUEUE)."""
        kind = mode & S_IFMT
        if not hasattr(self, "root"):
            return super().make(mode, uid, gid)
        if kind != S_IFREG:
            raise SyscallError(EPERM)
        settings = self.namespace.settings
        wish, self.wish = self.wish, None
        if wish is None:
            wish = min(settings.msg_max, settings.msg_default), min(settings.msgsize_max, settings.msgsize_default), 819200, False
        maxmsg, msgsize, limit, is_privileged = wish
        if self.queues >= settings.queues_max and not is_privileged:
            raise SyscallError(ENOSPC)
        size = queue_bytes(maxmsg, msgsize)
        if self.bytes_of.get(uid, 0) + size > limit:
            raise SyscallError(EMFILE)
        node = QueueNode(self, self.new_attr(mode, uid, gid), maxmsg, msgsize, size)
        self.queues += 1
        self.bytes_of[uid] = self.bytes_of.get(uid, 0) + size
        return node

    def make_directory(self, attr: Attr) -> Directory:
        """The root."""
        return QueueDirectory(self, attr)

    def forget(self, uid: int, size: int) -> None:
        """A queue is gone."""
        self.queues -= 1
        self.bytes_of[uid] -= size

    def make_symlink(self, target: bytes, uid: int, gid: int) -> "Node":
        """Errors: EPERM."""
        raise SyscallError(EPERM)

    async def statfs(self) -> StatFs:
        """Only the type says something."""
        return StatFs(type=MQUEUE_MAGIC, bsize=_PAGE)

    def mount_options(self) -> bytes:
        """None."""
        return b""


def mqueue_fs(task: "Task") -> MqueueFileSystem:
    """The file system of the task's IPC namespace, made when it is first needed."""
    namespace = ipc_of(task)
    if namespace.mqueue is None:
        mounts = task.kernel.mounts
        fs = MqueueFileSystem(mounts.allocate_dev(), task, namespace)
        namespace.mqueue = mounts.mount(fs, source=b"mqueue")
    fs = namespace.mqueue.fs
    assert isinstance(fs, MqueueFileSystem)
    return fs


def queue_directory(task: "Task", name: bytes) -> Path:
    """Where queue ``name`` of mq_open(2) is. Errors: EACCES for anything that is no plain name."""
    if b"/" in name or name in (b".", b".."):
        raise SyscallError(EACCES)
    mqueue_fs(task)
    mount = ipc_of(task).mqueue
    return Path(mount, mount.root)
