"""memfd_create(2): files in memory without a name, and their seals (fcntl(2), "File Sealing").

Seals belong to the inode: every description of it obeys them. Those against writing are also set on the host file once there
is one, since only the host kernel knows the guest's mappings.
"""

from typing import TYPE_CHECKING

from sentry.fs.tmpfs.filesystem import TmpFileSystem
from sentry.fs.tmpfs.regular import RegularFile, TmpFile
from sentry.fs.tmpfs.storage import StoragePool
from sentry.host.memfd import add_seals, sealable_memfd
from sentry.vfs.context import OpenContext
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.fcntl import (
    F_SEAL_EXEC,
    F_SEAL_FUTURE_WRITE,
    F_SEAL_GROW,
    F_SEAL_SEAL,
    F_SEAL_SHRINK,
    F_SEAL_WRITE,
    FALLOC_FL_KEEP_SIZE,
    FALLOC_FL_PUNCH_HOLE,
    FALLOC_FL_ZERO_RANGE,
    O_LARGEFILE,
    O_RDWR,
)
from syscalls.abi.stat import S_IFREG

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.file import FileDescription
    from sentry.vfs.io import Source
    from sentry.vfs.stat import SetAttr

_DEV_SHM = 0x01  # Linux's internal tmpfs mount
_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC
_AGAINST_WRITING = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE


class MemInode(RegularFile):
    """The contents of a memfd. ``name`` is what memfd_create was given."""

    __slots__ = ("host_seals", "name", "seals")

    def __init__(self, fs: TmpFileSystem, name: bytes, mode: int, uid: int, gid: int, seals: int) -> None:
        super().__init__(fs, fs.new_attr(S_IFREG | mode, uid, gid))
        self.attr.nlink = 0
        self.name = name
        self.seals = seals
        self.host_seals = 0

    async def open(self, context: "OpenContext") -> "FileDescription":
        """A further description, through /proc/PID/fd."""
        return MemFile(self, context)

    async def setattr(self, change: "SetAttr") -> None:
        """Errors: EPERM for a sealed size or mode."""
        if change.size is not None:
            self.check_size(change.size)
        if change.mode is not None and self.seals & F_SEAL_EXEC and (change.mode ^ self.attr.mode) & 0o111:
            raise SyscallError(EPERM)
        await super().setattr(change)

    def check_size(self, size: int) -> None:
        """Errors: EPERM when the seals forbid the change from the present size."""
        present = self.storage.size
        if (size < present and self.seals & F_SEAL_SHRINK) or (size > present and self.seals & F_SEAL_GROW):
            raise SyscallError(EPERM)

    def check_write(self) -> None:
        """Errors: EPERM."""
        if self.seals & _AGAINST_WRITING:
            raise SyscallError(EPERM)

    def seal(self, seals: int) -> None:
        """F_ADD_SEALS. Errors: EINVAL, EPERM, EBUSY."""
        if seals & ~_SEALS:
            raise SyscallError(EINVAL)
        if self.seals & F_SEAL_SEAL:
            raise SyscallError(EPERM)
        self._seal_host(seals)
        self.seals |= seals

    def seal_host(self) -> None:
        """The contents have a host file now: what forbids writing is set there too."""
        self._seal_host(self.seals)

    def _seal_host(self, seals: int) -> None:
        wanted = seals & _AGAINST_WRITING & ~self.host_seals
        backing = self.storage.backing
        if wanted and backing is not None:
            add_seals(backing, wanted)
            self.host_seals |= wanted


class MemFile(TmpFile):
    """An open memfd."""

    __slots__ = ()

    node: MemInode

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Errors: EPERM sealed; else as a file in memory."""
        node = self.node
        node.check_write()
        start = node.storage.size if offset < 0 else offset
        if node.seals & F_SEAL_GROW and start + source.remaining > node.storage.size:
            raise SyscallError(EPERM)
        return super().try_write(source, offset)

    async def truncate(self, size: int) -> None:
        """Errors: EPERM sealed."""
        self.node.check_size(size)
        await super().truncate(size)

    async def allocate(self, mode: int, offset: int, length: int) -> None:
        """Errors: EPERM sealed."""
        if mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE):
            self.node.check_write()
        if not mode & (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE):
            self.node.check_size(max(offset + length, self.node.storage.size))
        await super().allocate(mode, offset, length)

    async def mapping_fd(self, *, writable: bool, shared: bool) -> int:
        """The host refuses what the seals forbid."""
        fd = await super().mapping_fd(writable=writable, shared=shared)
        self.node.seal_host()
        return fd

    def add_seals(self, seals: int) -> None:
        """F_ADD_SEALS. Errors: EPERM also for a description that cannot write."""
        if not self.is_writable:
            raise SyscallError(EPERM)
        self.node.seal(seals)

    def seals(self) -> int:
        """F_GET_SEALS."""
        return self.node.seals

    def describe(self) -> bytes:
        """The text of /proc/PID/fd/N and of maps."""
        return b"/memfd:" + self.node.name + b" (deleted)"


def memory_fs(task: "Task") -> TmpFileSystem:
    """The file system of all files in memory without a name."""
    pseudo = task.kernel.pseudo
    fs = pseudo.memory
    if fs is None:
        pool = StoragePool(sealable_memfd, limits=task.kernel.limits)
        fs = pseudo.memory = TmpFileSystem(_DEV_SHM, task.kernel.realtime_ns, pool)
    assert isinstance(fs, TmpFileSystem)
    return fs


def memfd(task: "Task", name: bytes, mode: int, seals: int) -> MemFile:
    """Return a new file, open for reading and writing. Errors: ENOSPC."""
    creds = task.credentials
    node = MemInode(memory_fs(task), name, mode, creds.fsuid, creds.fsgid, seals)
    return MemFile(node, OpenContext(None, O_RDWR | O_LARGEFILE, task))  # type: ignore[arg-type]
