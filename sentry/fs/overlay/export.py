"""Writes what an overlay has changed as a layer: a tar archive with whiteouts (image-spec, layer.md).

The lower tree is walked, because a node that has changed does not know all its names; of it only directories are looked at, by
number, so an unchanged object costs one dictionary lookup. Where the lower tree is a folder of the host, which may be large, only
the directories that lead to something changed are entered: of a file with several names below, those that were used are found.
A directory that was moved is written in full.
"""

from tarfile import BLKTYPE, CHRTYPE, DIRTYPE, FIFOTYPE, LNKTYPE, PAX_FORMAT, REGTYPE, SYMTYPE, TarInfo
from typing import TYPE_CHECKING, Final

from sentry.fs.gofer.inode import GoferInode
from sentry.fs.overlay.directory import LowerDirectory
from sentry.fs.overlay.node import LowerNode
from sentry.fs.tmpfs.directory import Directory
from sentry.fs.tmpfs.node import Node
from sentry.host.regular_file import HostFd, pwrite_all
from sentry.mm.usermem import BytesSink
from sentry.vfs.context import OpenContext, Path
from sentry.vfs.dentry import Dentry
from syscalls.abi.errno import EIO
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from sentry.fs.overlay.filesystem import OverlayFileSystem
    from sentry.vfs.file import Entry, FileDescription
    from sentry.vfs.inode import Inode

WHITEOUT: Final = b".wh."
OPAQUE: Final = b".wh..wh..opq"
_DT_DIR: Final = 4
_BLOCK: Final = 512
_CHUNK: Final = 1 << 20
_SECOND: Final = 1_000_000_000
_TYPES: Final = {
    S_IFREG: REGTYPE, S_IFDIR: DIRTYPE, S_IFLNK: SYMTYPE, S_IFIFO: FIFOTYPE, S_IFCHR: CHRTYPE, S_IFBLK: BLKTYPE,
}  # fmt: skip


class LayerExport:
    """One export into the host file ``fd``. ``skipped`` are paths (without a slash at the front) that are not written."""

    def __init__(self, fs: "OverlayFileSystem", fd: HostFd, skipped: frozenset[bytes]) -> None:
        self._fs = fs
        self._fd = fd
        self._skipped = skipped
        self._offset = 0
        self._links: dict[int, bytes] = {}
        self._needed: set[int] | None = None  # directories of below to enter, by number; None: all
        self.left_out = 0  # sockets, and names that would mean a whiteout

    async def run(self) -> None:
        """Write the archive. Errors: ENOSPC, EIO, those of the lower tree."""
        top = self._fs.root
        assert isinstance(top, LowerDirectory)
        self._needed = self._directories_needed()
        await self._base(b"", top.lowers[0][1], self._fs.changed.get(top.key))
        self._write(bytes(2 * _BLOCK))

    async def _base(self, path: bytes, lower: "Inode", node: "LowerNode | None") -> None:
        """A directory that is where the lower tree has it; ``node`` if it has changed."""
        own: dict[bytes, Node | None] = {}
        if isinstance(node, LowerDirectory):
            own = dict(node.children)
            await self._object(path, node)
        below = {entry.name: entry for entry in await lower.read_children()}
        for name, child in own.items():
            at = _join(path, name)
            if at in self._skipped or self._is_in_place(child, below.get(name)):
                continue
            if child is None:
                if name in below:
                    self._mark(_join(path, WHITEOUT + name))
            else:
                hidden = below.get(name)
                await self._whole(at, child, is_opaque=hidden is not None and hidden.type == _DT_DIR)
        for name, entry in below.items():
            at = _join(path, name)
            if at in self._skipped or (name in own and not self._is_in_place(own[name], entry)):
                continue
            changed = self._fs.changed.get((0, entry.ino))
            if entry.type == _DT_DIR:
                if self._needed is not None and entry.ino not in self._needed:
                    continue
                found = await lower.lookup(name)
                if found is not None:
                    await self._base(at, found, changed)
            elif changed is not None:
                await self._object(at, changed)

    def _directories_needed(self) -> set[int] | None:
        found: set[int] = set()
        for node in self._fs.changed.values():
            if not isinstance(node.origin, GoferInode):
                return None
            found |= {ino for _, ino in (key for key, _ in node.homes)}
            place: GoferInode | None = node.origin
            while place is not None and (place is node.origin or place.attr.ino not in found):
                found.add(place.attr.ino)
                place = place.parent
        return found

    def _is_in_place(self, node: "Node | None", below: "Entry | None") -> bool:
        """Whether an own entry is just what the lower tree has under this name."""
        return isinstance(node, LowerNode) and below is not None and node.key == (0, below.ino)

    async def _whole(self, path: bytes, node: "Inode", *, is_opaque: bool) -> None:
        """An object that the lower tree does not have here, with all that is in it."""
        assert isinstance(node, Node)
        if path in self._skipped:
            return
        await self._object(path, node)
        if not isinstance(node, Directory):
            return
        if is_opaque:
            self._mark(_join(path, OPAQUE))
        for entry in await node.read_children():
            child = await node.lookup(entry.name)
            if child is not None:
                await self._whole(_join(path, entry.name), child, is_opaque=False)

    async def _object(self, path: bytes, node: Node) -> None:
        attr = node.attr
        kind = attr.mode & S_IFMT
        if kind not in _TYPES or path.rpartition(b"/")[2].startswith(WHITEOUT):
            self.left_out += 1
            return
        info = TarInfo(_text(path) or ".")
        first = self._links.get(id(node))
        if first is not None:
            info.type, info.linkname = LNKTYPE, _text(first)
            self._header(info)
            return
        if kind != S_IFDIR:
            self._links[id(node)] = path
        info.type = _TYPES[kind]
        info.mode, info.uid, info.gid = attr.mode & 0o7777, attr.uid, attr.gid
        seconds, fraction = divmod(attr.mtime_ns, _SECOND)
        info.mtime = seconds
        records: dict[str, str] = {}
        if fraction and seconds >= 0:
            records["mtime"] = f"{seconds}.{fraction:09}"
        if kind in (S_IFCHR, S_IFBLK):
            info.devmajor = attr.rdev >> 8 & 0xFFF
            info.devminor = attr.rdev & 0xFF | attr.rdev >> 12 & 0xFFF00
        for name in await node.listxattr():
            records["SCHILY.xattr." + _text(name)] = _text(await node.getxattr(name))
        info.pax_headers = records
        if kind == S_IFLNK:
            info.linkname = _text(await node.readlink())
        if kind != S_IFREG:
            self._header(info)
            return
        info.size = attr.size
        self._header(info)
        await self._contents(node, attr.size)

    async def _contents(self, node: Node, size: int) -> None:
        """Exactly ``size`` bytes of a file and the padding. Errors: EIO."""
        nowhere = Path(None, Dentry(b"", None, node))  # type: ignore[arg-type]
        file = await node.open(OpenContext(nowhere, 0, None))  # type: ignore[arg-type]
        file.acquire()
        try:
            done = 0
            while done < size:
                data = await _read(file, done, min(_CHUNK, size - done))
                if not data:
                    raise SyscallError(EIO)
                self._write(data)
                done += len(data)
        finally:
            file.path = None  # nobody is told of an open that no program made
            file.release()
        self._write(bytes(-size % _BLOCK))

    def _mark(self, path: bytes) -> None:
        """An empty file whose name tells something."""
        self._header(TarInfo(_text(path)))

    def _header(self, info: TarInfo) -> None:
        self._write(info.tobuf(PAX_FORMAT, "utf-8", "surrogateescape"))

    def _write(self, data: bytes | bytearray) -> None:
        pwrite_all(self._fd, data, self._offset)
        self._offset += len(data)


async def _read(file: "FileDescription", offset: int, length: int) -> bytearray:
    sink = BytesSink(length)
    if file.is_remote:
        await file.read_remote(sink, offset)
    else:
        file.try_read(sink, offset)
    return sink.data


def _join(path: bytes, name: bytes) -> bytes:
    return path + b"/" + name if path else name


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
