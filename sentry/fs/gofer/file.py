"""Open regular files of a gofer's tree.

Local files are read through the descriptor that the gofer donated, without asking again. Of a tree that does not change, all
openers share one descriptor, which may be closed for room and asked for again (``is_remote`` meanwhile). Files of a network
file system stay at the gofer, so that a server which never answers stops only those who wait for it.
"""

from typing import TYPE_CHECKING, Final

from gofer.protocol import message as m
from gofer.protocol.attr import ATTR_SIZE
from gofer.protocol.wire import FRAME_MAX
from sentry.fs.gofer.record import Record
from sentry.host.gofer_channel import close_descriptor, size_of
from sentry.host.regular_file import HostFd, seek_data
from sentry.vfs.file import O_ACCMODE, O_WRONLY, FileDescription
from sentry.vfs.permission import without_set_ids
from sentry.vfs.stat import SetAttr
from sentry.vfs.watch import touched
from syscalls.abi.errno import EACCES, EINVAL, ENODEV, ENXIO, EROFS, ESTALE
from syscalls.abi.errors import SyscallError
from syscalls.abi.inotify import IN_ACCESS, IN_MODIFY

if TYPE_CHECKING:
    from sentry.fs.gofer.client import GoferClient
    from sentry.fs.gofer.inode import GoferInode
    from sentry.vfs.io import Sink, Source

APPEND: Final = -1
_DATA_MAX: Final = FRAME_MAX - 64
O_RDWR: Final = 2


class OpenHandle:
    """What an OPEN brought: the number of a file that stays open at the gofer (0: none) and a descriptor (-1: none)."""

    __slots__ = ("fd", "number")

    def __init__(self, number: int, fd: int) -> None:
        self.number = number
        self.fd = fd

    def close(self, client: "GoferClient") -> None:
        """Give both back. Idempotent."""
        if self.fd >= 0:
            close_descriptor(self.fd)
            self.fd = -1
        if self.number:
            client.close_open(self.number)
            self.number = 0


def open_cached(inode: "GoferInode", flags: int) -> FileDescription | None:
    """``open_regular`` for reading through a descriptor that others use already; None if there is none."""
    gofer = inode.gofer
    if flags & O_ACCMODE or inode.host_fd < 0 or inode.fresh is not None or gofer.is_shared:
        return None
    gofer.touch_descriptor(inode)
    return CachedFile(inode, flags)


async def open_regular(inode: "GoferInode", flags: int) -> FileDescription:
    """Open ``inode``. Errors: EROFS, EACCES (the gofer's own rights), ESTALE (another file by now)."""
    access = flags & O_ACCMODE
    if access and not inode.gofer.is_writable:
        raise SyscallError(EROFS)
    fresh, inode.fresh = inode.fresh, None
    if fresh is not None:
        return _describe(inode, flags, fresh)
    if not access and not inode.gofer.is_shared:
        cached = open_cached(inode, flags)
        if cached is not None:
            return cached
        ahead = inode.parent.guess_opens(inode.name) if inode.parent is not None else []
        fd = inode.gofer.prefetched.take(inode)
        if fd >= 0:
            inode.gofer.keep_descriptor(inode, fd)
            return CachedFile(inode, flags)
        handle = await (ask_many(inode, ahead) if ahead else ask(inode, 0, may_be_another=True))
        if handle.fd >= 0 and not handle.number:
            inode.gofer.keep_descriptor(inode, handle.fd)
            return CachedFile(inode, flags)
        return _describe(inode, flags, handle)
    return _describe(inode, flags, await ask(inode, min(access, O_RDWR)))


def _describe(inode: "GoferInode", flags: int, handle: OpenHandle) -> FileDescription:
    return RemoteFile(inode, flags, handle) if handle.fd < 0 else OwnedFile(inode, flags, handle)


async def ask(inode: "GoferInode", flags: int, *, may_be_another: bool = False) -> OpenHandle:
    """One OPEN request. The answer must be about this very file.

    ``may_be_another``: a tree that should not change has changed (a package was upgraded) and nobody holds the old file; then the
    name has the new one, as after Linux's second walk (LOOKUP_REVAL).
    """
    reply = await inode.gofer.client.call(m.OPEN, inode.place(), flags)
    body = reply.bodies[0]
    handle = OpenHandle(int.from_bytes(body[:4], "little"), reply.fd)
    record = Record(body, 4)
    ino = inode.gofer.guest_ino(record.dev, record.attr.ino)
    is_another = ino != inode.attr.ino
    if is_another and not may_be_another:
        handle.close(inode.gofer.client)
        raise SyscallError(ESTALE)
    if inode.gofer.is_shared or is_another:
        inode.update(record.attr)
    if is_another:
        inode.attr.ino, inode.dev = ino, record.dev
        inode.replaced += 1
    return handle


async def ask_many(inode: "GoferInode", ahead: list[bytes]) -> OpenHandle:
    """Open ``inode`` and, in the same request, the files of its folder that will probably follow."""
    folder, gofer = inode.parent, inode.gofer
    assert folder is not None
    names = (inode.name, *(name for name in ahead if name != inode.name and not gofer.prefetched.has(folder, name)))
    reply = await gofer.client.call(m.OPENMANY, folder.place(), names)
    body, fds = reply.bodies[0], iter(reply.fds)
    own = -1
    for index, name in enumerate(names):
        position = index * (2 + ATTR_SIZE)
        if int.from_bytes(body[position : position + 2], "little"):
            continue
        record = Record(body, position + 2)
        ino, fd = gofer.guest_ino(record.dev, record.attr.ino), next(fds)
        if index:
            gofer.prefetched.put(folder, name, ino, fd)
        elif ino == inode.attr.ino:
            own = fd
        else:
            close_descriptor(fd)
    if own < 0:
        return await ask(inode, 0, may_be_another=True)  # it says why
    return OpenHandle(0, own)


class GoferFile(FileDescription):
    """What all open files of a gofer have in common."""

    __slots__ = ("gofer_inode",)

    is_seekable = True

    def __init__(self, inode: "GoferInode", flags: int) -> None:
        super().__init__(inode, flags)
        self.gofer_inode = inode

    def _heard(self, count: int, mask: int = IN_ACCESS) -> int:
        """Bytes have moved: who watches hears it."""
        if count:
            touched(self, mask)
        return count

    async def seek_data(self, offset: int, *, hole: bool) -> int:
        """All is data up to the end."""
        size = await self.size()
        if offset >= size:
            raise SyscallError(ENXIO)
        return size if hole else offset

    async def fsync(self, *, data_only: bool) -> None:
        """A file that was not opened for writing has nothing to write back."""


class CachedFile(GoferFile):
    """A file of a tree that does not change, open for reading, through the inode's shared descriptor."""

    __slots__ = ("_replaced",)

    def __init__(self, inode: "GoferInode", flags: int) -> None:
        super().__init__(inode, flags)
        self._replaced = inode.replaced

    @property
    def is_remote(self) -> bool:  # type: ignore[override]
        """The descriptor was closed for room, or is another file's by now: it must be asked for again."""
        inode = self.gofer_inode
        return inode.host_fd < 0 or inode.replaced != self._replaced

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Read from the descriptor. Precondition: ``is_remote`` is False."""
        return self._heard(sink.put_from_host(self.gofer_inode.host_fd, offset, sink.remaining))

    async def read_remote(self, sink: "Sink", offset: int) -> int:
        """Get the descriptor back and read."""
        return self._heard(sink.put_from_host(await self._descriptor(), offset, sink.remaining))

    async def size(self) -> int:
        """Known for ever."""
        return self.gofer_inode.attr.size

    async def mapping_fd(self, *, writable: bool, shared: bool) -> int:
        """The shared descriptor, which is open for reading only. Errors: EACCES for a writable shared mapping."""
        if writable and shared:
            raise SyscallError(EACCES)
        return await self._descriptor()

    async def _descriptor(self) -> int:
        inode = self.gofer_inode
        if inode.replaced != self._replaced:
            raise SyscallError(ESTALE)
        if inode.host_fd < 0:
            handle = await ask(inode, 0)
            if handle.fd < 0:
                handle.close(inode.gofer.client)
                raise SyscallError(ENODEV)
            inode.gofer.keep_descriptor(inode, handle.fd)
        return inode.host_fd


class _HandleFile(GoferFile):
    """A description with an ``OpenHandle`` of its own."""

    __slots__ = ("handle",)

    def __init__(self, inode: "GoferInode", flags: int, handle: OpenHandle) -> None:
        super().__init__(inode, flags)
        self.handle = handle
        if handle.number:
            inode.opened.append(handle.number)

    def close(self) -> None:
        """Close here and at the gofer."""
        if self.handle.number:
            self.gofer_inode.opened.remove(self.handle.number)
        client = self.gofer_inode.gofer.client
        if self.is_writable and self.handle.number:
            self.gofer_inode.gofer.expect_close(self.gofer_inode)
        self.handle.close(client)
        client.flush_releases()

    async def fsync(self, *, data_only: bool) -> None:
        """Let the gofer wait for the disk."""
        if self.handle.number:
            await self.gofer_inode.gofer.client.call(m.FSYNC, self.handle.number, int(data_only))

    async def truncate(self, size: int) -> None:
        """ftruncate(2). Errors: EINVAL if not open for writing."""
        if not self.handle.number or not self.is_writable:
            raise SyscallError(EINVAL)
        values = (m.SET_SIZE, 0, 0, 0, size, 0, 0)
        inode = self.gofer_inode
        with inode.gofer.own((inode.parent, inode.name)):
            reply = await inode.gofer.client.call(m.SETATTR, (0, ()), self.handle.number, *values)
        self.gofer_inode.take_attributes(reply.bodies[0])
        touched(self, IN_MODIFY)

    async def allocate(self, mode: int, offset: int, length: int) -> None:
        """fallocate(2), as the host's file system does it."""
        client = self.gofer_inode.gofer.client
        inode = self.gofer_inode
        with inode.gofer.own((inode.parent, inode.name)):
            await client.call(m.ALLOCATE, self.handle.number, mode, offset, length)
        reply = await client.call(m.GETATTR, (0, ()), self.handle.number)
        self.gofer_inode.take_attributes(reply.bodies[0])
        touched(self, IN_MODIFY)


class OwnedFile(_HandleFile):
    """A local file with a descriptor of its own."""

    __slots__ = ("_read_only_fd",)

    def __init__(self, inode: "GoferInode", flags: int, handle: OpenHandle) -> None:
        super().__init__(inode, flags, handle)
        self._read_only_fd = -1

    def close(self) -> None:
        """Close here and at the gofer."""
        super().close()
        if self._read_only_fd >= 0:
            close_descriptor(self._read_only_fd)
            self._read_only_fd = -1

    def try_read(self, sink: "Sink", offset: int) -> int | None:
        """Read from the descriptor."""
        return self._heard(sink.put_from_host(self.handle.fd, offset, sink.remaining))

    def try_write(self, source: "Source", offset: int) -> int | None:
        """Write to the descriptor; ``APPEND`` is the end as of now.

        # Differs from Linux: appending is atomic among the guests, not against processes of the host.
        """
        fd, attr = self.handle.fd, self.gofer_inode.attr
        if offset == APPEND:
            offset = size_of(fd)
        inode = self.gofer_inode
        with inode.gofer.own((inode.parent, inode.name)):
            count = source.take_to_host(fd, offset, source.remaining)
        attr.size = max(attr.size, offset + count)
        return self._heard(count, IN_MODIFY)

    async def seek_data(self, offset: int, *, hole: bool) -> int:
        """The host knows the holes. Errors: ENXIO."""
        return seek_data(HostFd(self.handle.fd), offset, hole=hole)

    async def size(self) -> int:
        """The host's own answer."""
        return size_of(self.handle.fd)

    async def mapping_fd(self, *, writable: bool, shared: bool) -> int:
        """The descriptor, open with the guest's own rights. Errors: EACCES."""
        access = self.flags & O_ACCMODE
        if access == O_WRONLY or (writable and shared and access != O_RDWR):
            raise SyscallError(EACCES)
        if access == O_RDWR or not self.handle.number:
            return self.handle.fd
        if self._read_only_fd < 0:  # a file just made came with more than a reader's rights: a mapping must not have them
            handle = await ask(self.gofer_inode, 0)
            self._read_only_fd, handle.fd = handle.fd, -1
            handle.close(self.gofer_inode.gofer.client)
        return self._read_only_fd


class RemoteFile(_HandleFile):
    """A file of a network file system: the gofer reads and writes."""

    __slots__ = ()

    is_remote = True

    async def read_remote(self, sink: "Sink", offset: int) -> int:
        """Read in frames until the sink is full or the file ends."""
        done = 0
        client = self.gofer_inode.gofer.client
        while sink.remaining:
            wanted = min(sink.remaining, _DATA_MAX)
            data = (await client.call(m.READ, self.handle.number, offset + done, wanted)).bodies[0]
            if not data:
                break
            count = sink.put(data)
            done += count
            if count < len(data) or len(data) < wanted:
                break
        return self._heard(done)

    async def write_remote(self, source: "Source", offset: int) -> int:
        """Write in frames; what was taken from the guest is written or reported."""
        done = 0
        inode = self.gofer_inode
        while source.remaining:
            data = source.take(min(source.remaining, _DATA_MAX))
            at = APPEND if offset == APPEND else offset + done
            with inode.gofer.own((inode.parent, inode.name)):
                reply = await inode.gofer.client.call(m.WRITE, self.handle.number, at, data)
            (count,) = m.WRITE.decode_reply(reply.bodies[0])
            assert isinstance(count, int)
            done += count
            if count < len(data):
                break
        if inode.attr.mode & 0o6000:  # the gofer may hold CAP_FSETID: the host does not clear them
            await inode.setattr(SetAttr(mode=without_set_ids(inode.attr.mode) & 0o7777))
        if offset == APPEND:
            await inode.getattr()
        else:
            inode.attr.size = max(inode.attr.size, offset + done)
        return self._heard(done, IN_MODIFY)

    async def mapping_fd(self, *, writable: bool, shared: bool) -> int:
        """A donated descriptor: page faults of a network file stop only the guest that touches them."""
        access = self.flags & O_ACCMODE
        if access == O_WRONLY or (writable and shared and access != O_RDWR):
            raise SyscallError(EACCES)
        if self.handle.fd < 0:
            handle = await ask(self.gofer_inode, min(access, O_RDWR) | m.OPEN_DONATE)
            self.handle.fd, handle.fd = handle.fd, -1
            handle.close(self.gofer_inode.gofer.client)
        return self.handle.fd
