"""/dev/null, zero, full, random and urandom (null(4), full(4), random(4))."""

from typing import TYPE_CHECKING, Final

from sentry.host import regular_file
from sentry.host.regular_file import HostFd
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import EFAULT, EINVAL, ENFILE, ENODEV, ENOSPC, EPERM
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.limits import SandboxLimits
    from sentry.kernel.task import Task
    from sentry.vfs.context import OpenContext
    from sentry.vfs.inode import Inode
    from sentry.vfs.io import Sink, Source

_CHUNK: Final = 1 << 16
_ZEROS: Final = bytes(_CHUNK)
_RANDOM_CHUNK: Final = 4096
#: how much of /dev/zero one mapping can show: the backing file is sparse
_ZERO_SIZE: Final = 1 << 40
RNDGETENTCNT, RNDADDTOENTCNT, RNDADDENTROPY, RNDZAPENTCNT, RNDCLEARPOOL = 0x80045200, 0x40045201, 0x40085203, 0x5204, 0x5206
ENTROPY_BITS: Final = 256


class NullFile(FileDescription):
    """Always at its end; takes everything."""

    __slots__ = ()

    is_seekable = True
    is_endless = True
    can_splice_from = False

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """End of file."""
        return 0

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Forget all, without even looking at it: a bad address is no error here (null(4))."""
        count = source.remaining
        source.remaining = 0
        return count

    async def size(self) -> int:
        """SEEK_END leads to 0."""
        return 0


class ZeroFile(NullFile):
    """Endless zeros. A mapping is anonymous memory in the shape of a file.

    Differs from Linux: shared mappings of one descriptor show the same memory, and private ones see what was written there.
    """

    __slots__ = ("_fd", "_limits")

    can_splice_from = True

    def __init__(self, inode: "Inode", flags: int, limits: "SandboxLimits") -> None:
        super().__init__(inode, flags)
        self._limits = limits
        self._fd: HostFd | None = None

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Fill the buffer."""
        done = 0
        while sink.remaining:
            count = sink.put(_ZEROS[: sink.remaining])
            done += count
            if count < min(_CHUNK, sink.remaining + count):
                break
        return done

    async def mapping_fd(self, *, writable: bool, shared: bool) -> int:
        """A sparse file of zeros that belongs to this description alone. Errors: ENFILE, ENOMEM."""
        if self._fd is None:
            if self._limits.host_files_used >= self._limits.host_files_max:
                raise SyscallError(ENFILE)
            self._fd = regular_file.memfd("zero")
            self._limits.host_files_used += 1
            regular_file.truncate(self._fd, _ZERO_SIZE)
        return self._fd

    def close(self) -> None:
        """Give the backing file back."""
        if self._fd is not None:
            regular_file.close(self._fd)
            self._limits.host_files_used -= 1
            self._fd = None


class FullFile(ZeroFile):
    """Zeros to read, no room to write."""

    __slots__ = ()

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Errors: ENOSPC."""
        raise SyscallError(ENOSPC)

    async def mapping_fd(self, *, writable: bool, shared: bool) -> int:
        """/dev/full cannot be mapped."""
        raise SyscallError(ENODEV)


class RandomFile(FileDescription):
    """Random bytes without end; what is written is taken and changes nothing, as it adds no entropy that counts (random(4))."""

    __slots__ = ("_random",)

    is_seekable = True
    is_endless = True

    def __init__(self, inode: "Inode", flags: int, task: "Task") -> None:
        super().__init__(inode, flags)
        self._random = task.kernel.random

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Fill the buffer."""
        done = 0
        while sink.remaining:
            data = self._random(min(sink.remaining, _RANDOM_CHUNK))
            count = sink.put(data)
            done += count
            if count < len(data):
                break
        return done

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Mix nothing in. Errors: EFAULT."""
        done = 0
        while source.remaining:
            part = source.take(_RANDOM_CHUNK)
            if not part:
                break
            done += len(part)
        return done

    async def size(self) -> int:
        """SEEK_END leads to 0."""
        return 0

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        """RNDGETENTCNT; what changes the pool is for privileged processes of the host. Errors: EPERM, EFAULT, EINVAL."""
        if request == RNDGETENTCNT:
            if not argument:
                raise SyscallError(EFAULT)
            task.memory.write_u32(argument, ENTROPY_BITS)
            return 0
        if request in (RNDADDTOENTCNT, RNDADDENTROPY, RNDZAPENTCNT, RNDCLEARPOOL):
            raise SyscallError(EPERM)
        raise SyscallError(EINVAL)


def open_null(inode: "Inode", context: "OpenContext") -> FileDescription:
    """Driver of 1:3."""
    return NullFile(inode, context.flags)


def open_zero(inode: "Inode", context: "OpenContext") -> FileDescription:
    """Driver of 1:5."""
    return ZeroFile(inode, context.flags, context.task.kernel.limits)


def open_full(inode: "Inode", context: "OpenContext") -> FileDescription:
    """Driver of 1:7."""
    return FullFile(inode, context.flags, context.task.kernel.limits)


def open_random(inode: "Inode", context: "OpenContext") -> FileDescription:
    """Driver of 1:8 and 1:9, which have been the same since Linux 5.6."""
    return RandomFile(inode, context.flags, context.task)
