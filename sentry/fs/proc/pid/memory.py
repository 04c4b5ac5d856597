"""/proc/PID/mem and numa_maps (proc_pid_mem(5), numa(7)).

Only what the process itself may touch is read and written: unlike Linux, a debugger's write to a read-only page is EIO.
"""

from typing import TYPE_CHECKING, Final

from sentry.fs.proc import host_thread
from sentry.fs.proc.pid.maps import maps
from sentry.fs.synthetic.node import SyntheticInode
from sentry.vfs.file import FileDescription
from syscalls.abi.errno import EIO
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.proc.pid.target import Target
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.kernel.task import Task
    from sentry.vfs.context import OpenContext
    from sentry.vfs.io import Sink, Source
    from sentry.vfs.stat import Attr

_CHUNK: Final = 1 << 16


class MemInode(SyntheticInode):
    """The node."""

    __slots__ = ("target",)

    def __init__(self, fs: "SyntheticFileSystem", target: "Target", attr: "Attr") -> None:
        super().__init__(fs, attr)
        self.target = target

    async def open(self, context: "OpenContext") -> FileDescription:
        """Errors: EACCES without the right to inspect the process."""
        self.target.check_inspect(context.task)
        return MemFile(self, context.flags)


class MemFile(FileDescription):
    """The memory that the process has when it is read; after its exec and its end there is nothing."""

    __slots__ = ("_program",)

    is_seekable = True
    inode: MemInode

    def __init__(self, inode: MemInode, flags: int) -> None:
        super().__init__(inode, flags)
        self._program = inode.target.group.executable

    def living(self) -> "Task | None":
        """The task whose memory this is, None once that memory is gone."""
        target = self.inode.target
        is_same = target.exists and not target.is_zombie and target.group.executable is self._program
        return target.task if is_same else None

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Bytes up to the first that cannot be read. Errors: EIO not even one."""
        task = self.living()
        if task is None or not sink.remaining:
            return 0
        data = task.memory.guest.read_partial(offset, min(sink.remaining, _CHUNK))
        if not data:
            raise SyscallError(EIO)
        return sink.put(data)

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Errors: EIO nothing can be written there."""
        task = self.living()
        if task is None or not source.remaining:
            return 0
        data = source.take(min(source.remaining, _CHUNK))
        count = task.memory.guest.write_partial(offset, data)
        if not count:
            raise SyscallError(EIO)
        return count


def numa_maps(viewer: "Task", target: "Target") -> bytes:
    """The host's counts under the guest's names; the exec stub is not shown."""
    if target.is_zombie:
        return b""
    names = {}
    for line in maps(viewer, target).splitlines():
        words = line.split(None, 5)
        names[words[0].partition(b"-")[0].lstrip(b"0")] = words[5] if len(words) > 5 else b""
    lines = []
    for line in host_thread.read(target.task, "numa_maps").splitlines():
        start, policy, *counts = line.split()
        name = names.get(start.lstrip(b"0"))
        if name is None:
            continue
        counts = [word for word in counts if not word.startswith(b"file=")]
        place = [b"file=" + name] if name.startswith(b"/") else []
        lines.append(b" ".join([start, policy, *place, *counts]))
    return b"".join(line + b"\n" for line in lines)
