"""A writable tree over read-only ones (the idea of overlayfs; nothing is written below).

The upper layer is the state of the nodes themselves, kept in memory like a tmpfs: an unchanged object costs one small wrapper, a
renamed directory keeps pointing below, and nothing is ever copied but the contents of files that are opened for writing.
``changed`` holds every node of below that differs, by (layer, inode number), so that all hard links of a file change together.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from sentry.fs.overlay.directory import LowerDirectory
from sentry.fs.overlay.node import Key, LowerFile, LowerNode, LowerSpecial, LowerSymlink
from sentry.fs.tmpfs.filesystem import TmpFileSystem
from sentry.vfs.stat import StatFs
from syscalls.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentry.fs.tmpfs.node import Node
    from sentry.vfs.inode import FileSystem, Inode
    from sentry.vfs.stat import Attr

OVERLAYFS_MAGIC: Final = 0x794C7630
# New inodes are numbered from here: beyond what host file systems use.
_FIRST_INO: Final = 1 << 44
_LAYER_SHIFT: Final = 56


class OverlayFileSystem(TmpFileSystem):
    """``upper`` lends its clock, storage and limits; ``lowers`` are the trees below, the topmost first, and must not change."""

    name = b"overlay"

    def __init__(self, dev: int, upper: TmpFileSystem, lowers: "Sequence[FileSystem]") -> None:
        assert lowers
        self.lowers = tuple(lowers)
        self.changed: dict[Key, LowerNode] = {}
        self._linked: WeakValueDictionary[Key, LowerNode] = WeakValueDictionary()
        super().__init__(dev, upper.now, upper.pool, inodes_max=upper.inodes_max, first_ino=_FIRST_INO)

    def wrap(self, below: "Inode", layer: int) -> LowerNode:
        """The node that stands for an object of ``layer``."""
        attr = below.attr
        key = (layer, attr.ino)
        node = self.changed.get(key)
        if node is not None:
            return node
        kind = attr.mode & S_IFMT
        if kind == S_IFDIR:
            return self.wrap_directory(((layer, below),))
        if attr.nlink > 1:
            node = self._linked.get(key)
            if node is not None:
                return node
        shown = self._attr_of(attr, layer)
        if kind == S_IFREG:
            node = LowerFile(self, shown, below, key)
        elif kind == S_IFLNK:
            node = LowerSymlink(self, shown, below, key)
        else:
            node = LowerSpecial(self, shown, below, key)
        if attr.nlink > 1:
            self._linked[key] = node
        return node

    def wrap_directory(self, lowers: "tuple[tuple[int, Inode], ...]") -> LowerNode:
        """The node for directories that lie on each other, the topmost first."""
        layer, top = lowers[0]
        key = (layer, top.attr.ino)
        node = self.changed.get(key)
        return node if node is not None else LowerDirectory(self, self._attr_of(top.attr, layer), lowers, key)

    def ino_of(self, ino: int, layer: int) -> int:
        """Inode numbers of several layers must differ."""
        return ino ^ layer << _LAYER_SHIFT

    async def statfs(self) -> StatFs:
        """The room there is for changes; an inode counts a quarter of a block, so that no tree looks empty (statvfs(3), used)."""
        found = await super().statfs()
        return replace(found, type=OVERLAYFS_MAGIC, blocks=found.blocks + (self.inodes_used + 3) // 4)

    def mount_options(self) -> bytes:
        """Layers have no names inside."""
        return b"lowerdir=/,upperdir=/,workdir=/"

    def release(self) -> None:
        """The trees below go too."""
        for lower in self.lowers:
            lower.release()

    def _make_root(self, mode: int, uid: int, gid: int) -> "Node":
        return self.wrap_directory(tuple((layer, lower.root) for layer, lower in enumerate(self.lowers)))

    def _attr_of(self, attr: "Attr", layer: int) -> "Attr":
        return attr if not layer else replace(attr, ino=self.ino_of(attr.ino, layer))
