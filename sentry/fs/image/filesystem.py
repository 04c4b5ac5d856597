"""An image from the store as a read-only file system: the tree from a mapped index, contents from the layers' folders.

Walks, stat, readlink, readdir and extended attributes cost no request to the gofer, and neither do small files once a layer's
pack is open. A large file costs one, the first time.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gofer.protocol import message as m
from sentry.fs.image.index import PACK_NAME, ROOT, ImageIndex, Record
from sentry.fs.image.inode import ImageInode
from sentry.fs.tmpfs.storage import Storage, StoragePool
from sentry.host import regular_file as host
from sentry.host.gofer_channel import close_descriptor
from sentry.vfs.inode import FileSystem, Inode
from sentry.vfs.stat import StatFs
from syscalls.abi.errno import EIO
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.fs.gofer.filesystem import GoferFileSystem

EROFS_MAGIC: Final = 0xE0F5E1E2
ST_RDONLY: Final = 1
COPIES_MAX: Final = 64
CONTENTS_MAX: Final = 8192


class ImageFileSystem(FileSystem):
    """``layers`` are the gofer's trees of the layers, in the index's order; ``pool`` pays for copies that are mapped."""

    name = b"image"

    def __init__(self, dev: int, index: ImageIndex, layers: "Sequence[GoferFileSystem]", pool: StoragePool) -> None:
        super().__init__(dev)
        self.index = index
        self._layers = tuple(layers)
        self._pool = pool
        self._packs: dict[int, int] = {}
        self._contents: dict[tuple[int, int], Inode] = {}  # large files that were opened
        self._copies: dict[int, Storage] = {}  # small files that were mapped, the oldest first
        self.root = ImageInode(self, ROOT, index.record(ROOT))

    async def statfs(self) -> StatFs:
        """A full read-only file system."""
        return StatFs(EROFS_MAGIC, files=self.index.inodes, flags=ST_RDONLY)

    def mount_options(self) -> bytes:
        """None that a guest need know."""
        return b""

    async def pack_of(self, record: Record) -> int:
        """The descriptor of the pack that holds a small file, asked for once. Errors: EIO."""
        fd = self._packs.get(record.layer)
        if fd is not None:
            return fd
        layer = self._layers[record.layer]
        reply = await layer.client.call(m.OPEN, (layer.root.node, (PACK_NAME,)), m.OPEN_DONATE)
        number = int.from_bytes(reply.bodies[0][:4], "little")
        if number:
            layer.client.close_open(number)
        if reply.fd < 0:
            raise SyscallError(EIO)
        kept = self._packs.setdefault(record.layer, reply.fd)
        if kept != reply.fd:  # another opener was faster
            close_descriptor(reply.fd)
        return kept

    async def content_of(self, record: Record) -> Inode:
        """The host file that holds a large file. Errors: EIO if it is not there."""
        key = (record.layer, record.where)
        inode = self._contents.get(key)
        if inode is None:
            inode = await self._layers[record.layer].root.lookup(b"%d" % record.where)
            if not isinstance(inode, Inode):
                raise SyscallError(EIO)
            self._contents[key] = inode
            if len(self._contents) > CONTENTS_MAX:
                del self._contents[next(iter(self._contents))]
        return inode

    def mapped_copy(self, ino: int, pack_fd: host.HostFd, base: int, size: int) -> int:
        """A read-only descriptor of a copy of a small file. Errors: ENOSPC, ENOMEM."""
        copy = self._copies.pop(ino, None)
        if copy is None:
            copy = Storage(self._pool)
            if size:
                copy.fill(host.pread(pack_fd, size, base))
        self._copies[ino] = copy
        if len(self._copies) > COPIES_MAX:
            del self._copies[next(iter(self._copies))]
        return copy.host_fd(writable=False)

    def release(self) -> None:
        """Unmounted: close everything."""
        for fd in self._packs.values():
            close_descriptor(fd)
        self._packs.clear()
        self._copies.clear()
        self._contents.clear()
        for layer in self._layers:
            layer.release()
