"""/proc/PID/pagemap: which pages of a process are there (Linux: Documentation/admin-guide/mm/pagemap.rst).

The host's table without frame numbers, as Linux shows it to the unprivileged. The exec stub's pages read as not there.
"""

from typing import TYPE_CHECKING, Final

from sentry.arch.x86_64 import STUB_CODE_START, STUB_END
from sentry.fs.proc.pid.memory import MemFile, MemInode
from sentry.host import procfs
from syscalls.abi.errno import EINVAL
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.vfs.context import OpenContext
    from sentry.vfs.io import Sink, Source

#: bytes for each page, and where the table of a process ends (x86-64: TASK_SIZE)
_ENTRY: Final = 8
_PAGE: Final = 4096
_END: Final = ((1 << 47) - _PAGE) // _PAGE * _ENTRY
#: soft-dirty, mapped once, write-protected, guard, file or shared, swapped, present; below lies the frame
_SHOWN: Final = 0xFF80_0000_0000_0000
_CHUNK: Final = 1 << 17
#: one read tells of 512 MiB at most, so that nobody waits for a long one
_READ_MAX: Final = 1 << 20
_ALL_SHOWN: Final = int.from_bytes(_SHOWN.to_bytes(_ENTRY, "little") * (_CHUNK // _ENTRY), "little")
_STUB: Final = (STUB_CODE_START // _PAGE * _ENTRY, STUB_END // _PAGE * _ENTRY)


class PagemapInode(MemInode):
    """The node."""

    __slots__ = ()

    async def open(self, context: "OpenContext") -> "PagemapFile":
        """Errors: EACCES without the right to inspect the process."""
        self.target.check_inspect(context.task)
        return PagemapFile(self, context.flags)


class PagemapFile(MemFile):
    """The table of the memory that the process had when this was opened; after its exec and its end there is nothing."""

    __slots__ = ()

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Whole entries. Errors: EINVAL a position or length between entries."""
        if offset % _ENTRY or sink.remaining % _ENTRY:
            raise SyscallError(EINVAL)
        done = 0
        while sink.remaining and done < _READ_MAX and offset + done < _END:
            task = self.living()
            if task is None:
                break
            place = offset + done
            length = min(sink.remaining, _CHUNK, _END - place)
            data = procfs.read_thread_at(task.context.host_tid, "pagemap", place, length)
            if not data:
                break
            done += sink.put(_shown(data, place))
        return done

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Errors: EINVAL."""
        raise SyscallError(EINVAL)

    async def size(self) -> int:
        """Errors: EINVAL: there is no SEEK_END."""
        raise SyscallError(EINVAL)


def _shown(data: bytes, offset: int) -> bytes:
    """The entries at ``offset`` as a guest may see them."""
    text = (int.from_bytes(data, "little") & _ALL_SHOWN).to_bytes(len(data), "little")
    first, last = max(_STUB[0] - offset, 0), min(_STUB[1] - offset, len(text))
    if first >= last:
        return text
    return text[:first] + bytes(last - first) + text[last:]
