"""Directories of an overlay: own entries, whiteouts, and what shines through from below.

``children`` holds what differs from below: a node, or None for a whiteout. ``shadowed`` are the names among them that also exist
below, so that removing a node leaves a whiteout only where one is needed. A renamed directory takes its ``lowers`` along.
"""

from typing import TYPE_CHECKING, Final

from sentry.fs.overlay.node import Key, LowerNode
from sentry.fs.tmpfs.directory import Directory
from sentry.fs.tmpfs.node import Node
from sentry.vfs.file import Entry
from syscalls.abi.errno import EEXIST, ENOENT, ENOTEMPTY, ESTALE
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFCHR, S_IFDIR, S_IFMT

if TYPE_CHECKING:
    from sentry.fs.overlay.filesystem import OverlayFileSystem
    from sentry.vfs.inode import Inode
    from sentry.vfs.stat import Attr

_UNKNOWN: Final = object()
_DT_CHR: Final = 2


class LowerDirectory(LowerNode, Directory):
    """A directory with one or more directories below, the topmost first: (layer, inode)."""

    __slots__ = ("homes", "is_owned", "key", "lowers", "origin", "shadowed")

    def __init__(self, fs: "OverlayFileSystem", attr: "Attr", lowers: "tuple[tuple[int, Inode], ...]", key: Key) -> None:
        super().__init__(fs, attr)
        self._adopt(lowers[0][1], key)
        self.lowers = lowers
        self.shadowed: set[bytes] = set()

    async def lookup(self, name: bytes) -> "Inode | None":
        """Own entries first, then below."""
        own = self.children.get(name, _UNKNOWN)
        if own is _UNKNOWN:
            found = await self._lookup_below(name)
            own = self.children.get(name, _UNKNOWN)  # somebody may have made it meanwhile
            if own is _UNKNOWN:
                return found
        return own  # type: ignore[return-value]

    async def lookup_many(self, names: "list[bytes]") -> "list[Inode | None]":
        """One question to the file system below for all that is unknown here.

        There is at most one wait, and no answer from before it is kept: somebody may have changed the tree meanwhile.
        """
        found: list[Inode | None] = []
        directory: Inode | None = self
        while isinstance(directory, LowerDirectory) and len(found) < len(names):
            name = names[len(found)]
            if name not in directory.children:
                break
            directory = directory.children[name]
            found.append(directory)
        if found:
            return found
        if len(self.lowers) > 1:
            return [await self.lookup(names[0])]
        layer, lower = self.lowers[0]
        directory = self
        for name, below in zip(names, await lower.lookup_many(names), strict=False):
            directory = directory.own_or(name, below, layer)
            found.append(directory)
            if not isinstance(directory, LowerDirectory) or directory.lowers != ((layer, below),):
                break
        return found

    def own_or(self, name: bytes, below: "Inode | None", layer: int) -> "Inode | None":
        """The own entry of that name, else ``below`` seen through the overlay."""
        own = self.children.get(name, _UNKNOWN)
        if own is not _UNKNOWN:
            return own  # type: ignore[return-value]
        if below is None or _is_whiteout(below):
            return None
        return self._wrap(name, below, layer)

    async def _lookup_below(self, name: bytes) -> "Inode | None":
        lowers = self.lowers
        if len(lowers) == 1:
            below = await lowers[0][1].lookup(name)
            return None if below is None or _is_whiteout(below) else self._wrap(name, below, lowers[0][0])
        merged: list[tuple[int, Inode]] = []
        for layer, lower in lowers:
            below = await lower.lookup(name)
            if below is None:
                continue
            if below.attr.mode & S_IFMT != S_IFDIR:
                if merged or _is_whiteout(below):
                    break
                return self._wrap(name, below, layer)
            merged.append((layer, below))
        if not merged:
            return None
        node = self.fs.wrap_directory(tuple(merged))
        node.note_home(self.key, name)
        return node

    def _wrap(self, name: bytes, below: "Inode", layer: int) -> LowerNode:
        node = self.fs.wrap(below, layer)
        node.note_home(self.key, name)
        return node

    async def read_children(self) -> list[Entry]:
        """What shines through, in the order of below, then the own entries."""
        children = self.children
        entries: list[Entry] = []
        seen: set[bytes] = set()
        is_merged = len(self.lowers) > 1
        for layer, lower in self.lowers:
            below = await lower.read_children()
            if not is_merged and not children and not any(entry.type == _DT_CHR for entry in below):
                return below if not layer else [self._seen(entry, layer) for entry in below]
            for entry in below:
                if entry.name in seen or (entry.name in children and children is self.children):
                    continue
                if is_merged:
                    seen.add(entry.name)
                if entry.type == _DT_CHR and await self.lookup(entry.name) is None:
                    continue
                entries.append(self._seen(entry, layer))
        return entries + await super().read_children()

    def _seen(self, entry: Entry, layer: int) -> Entry:
        """An entry of below as this file system shows it."""
        return Entry(entry.name, self.fs.ino_of(entry.ino, layer), entry.type)

    async def check_empty(self) -> None:
        """Errors: ENOTEMPTY."""
        await super().check_empty()
        shown = [entry.name for entry in await self.read_children()]
        children = self.children
        if any(name not in children or children[name] is not None for name in shown):
            raise SyscallError(ENOTEMPTY)
        await super().check_empty()

    async def _check_absent(self, name: bytes) -> None:
        if await self.lookup(name) is not None:
            raise SyscallError(EEXIST)
        if self.attr.nlink == 0:
            raise SyscallError(ENOENT)

    def _put(self, name: bytes, node: Node) -> None:
        if self.children.get(name, _UNKNOWN) is None:
            self.shadowed.add(name)
        super()._put(name, node)

    def _put_over(self, name: bytes, node: Node) -> None:
        if name not in self.children:
            self.shadowed.add(name)
        super()._put_over(name, node)

    def _check_holds(self, name: bytes, expected: "Inode | None") -> None:
        if name in self.children:
            if self.children[name] is not expected:
                raise SyscallError(ESTALE)
        elif expected is not None and not (isinstance(expected, LowerNode) and (self.key, name) in expected.homes):
            raise SyscallError(ESTALE)

    def _take(self, name: bytes) -> None:
        self._own()
        if name not in self.children or name in self.shadowed:
            self.children[name] = None
            self.shadowed.discard(name)
        else:
            del self.children[name]
        self.touch()


def _is_whiteout(inode: "Inode") -> bool:
    return inode.attr.rdev == 0 and inode.attr.mode & S_IFMT == S_IFCHR
