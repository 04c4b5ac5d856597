"""Regular files whose text is made when they are read (seq_file.txt), and that may take commands."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sentry.fs.synthetic.node import SyntheticInode
from sentry.vfs.file import FileDescription
from sentry.vfs.stat import Attr
from syscalls.abi.errno import EINVAL, EIO
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFREG

if TYPE_CHECKING:
    from sentry.fs.synthetic.filesystem import SyntheticFileSystem
    from sentry.kernel.task import Task
    from sentry.vfs.context import OpenContext
    from sentry.vfs.io import Sink, Source

Text = Callable[["Task"], bytes]
Command = Callable[["Task", bytes], None]
WRITE_MAX = 4096


class GeneratedFile(SyntheticInode):
    """``text(opener)`` gives the contents, ``command(opener, data)`` takes what is written; either raises SyscallError."""

    __slots__ = ("command", "text")

    def __init__(
        self,
        fs: "SyntheticFileSystem",
        text: Text | None,
        command: Command | None = None,
        mode: int | None = None,
        attr: Attr | None = None,
    ) -> None:
        if mode is None:
            mode = 0o444 if command is None else 0o644
        super().__init__(fs, attr or fs.new_attr(S_IFREG | mode))
        self.attr.size = fs.file_size
        self.text = text
        self.command = command

    async def open(self, context: "OpenContext") -> FileDescription:
        """A file that remembers its opener: /proc/self/X goes on to speak of that process."""
        return GeneratedText(self, context.flags, context.task)


class GeneratedText(FileDescription):
    """The text is made at every read from position 0 and kept for the reads that follow, while there is room to keep it."""

    __slots__ = ("opener",)

    is_seekable = True
    inode: GeneratedFile

    def __init__(self, inode: GeneratedFile, flags: int, opener: "Task") -> None:
        super().__init__(inode, flags)
        self.opener = opener

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Give the text from ``offset`` on. Errors: EINVAL (write-only), ESRCH, EACCES."""
        if self.inode.text is None:
            raise SyscallError(EINVAL)
        cache = self.inode.fs.texts
        text = cache.get(self) if offset else None
        if text is None:
            text = self.inode.text(self.opener)
            cache.put(self, text)
        part = text[offset : offset + sink.remaining]
        return sink.put(part) if part else 0

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Carry out what is written, all at once. Errors: EIO (read-only), EINVAL."""
        if self.inode.command is None:
            raise SyscallError(EIO)
        data = source.take(min(source.remaining, WRITE_MAX))
        self.inode.command(self.opener, data)
        return len(data)

    def close(self) -> None:
        """The text is not needed any more."""
        self.inode.fs.texts.drop(self)

    async def size(self) -> int:
        """SEEK_END: where the text ends now."""
        return self.inode.attr.size
