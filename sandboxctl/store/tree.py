"""Puts layers on each other (image-spec, layer.md, "Applying Changesets"): whiteouts first, then what a layer adds.

Everything happens in memory; names are never looked up on the host. A parent that is a symbolic link of a lower layer is
followed inside the image, as container engines do; one that the same layer has made is a trick and refused.
"""

from typing import Final

from sandboxctl.store.entry import OPAQUE, S_IFDIR, S_IFLNK, S_IFMT, WHITEOUT, Entry
from sandboxctl.store.errors import ImageError

HOPS_MAX: Final = 40
ENTRIES_MAX: Final = 1_000_000  # of all layers together
_AUFS: Final = (b".wh..wh.plnk", b".wh..wh.aufs", b".wh..wh.orph")


class Node:
    """An object of the tree. ``entry`` tells its attributes, ``layer`` the layer whose entry (and contents) it is."""

    __slots__ = ("children", "entry", "layer")

    def __init__(self, entry: Entry, layer: int) -> None:
        self.entry = entry
        self.layer = layer
        self.children: dict[bytes, Node] | None = {} if entry.mode & S_IFMT == S_IFDIR else None


class Tree:
    """An image's tree while it is put together."""

    def __init__(self) -> None:
        self.root = Node(Entry(b"", S_IFDIR | 0o755), -1)
        self._layer = -1
        self._entries = 0

    def add_layer(self, entries: list[Entry]) -> None:
        """Apply the next layer. Raises ImageError."""
        self._layer += 1
        self._entries += len(entries)
        if self._entries > ENTRIES_MAX:
            raise ImageError(f"the image has more than {ENTRIES_MAX} objects: refused")
        for entry in entries:
            name = entry.path.rpartition(b"/")[2]
            if name.startswith(WHITEOUT) and name not in _AUFS:
                self._white_out(entry.path, name)
        for entry in entries:
            if not entry.path.rpartition(b"/")[2].startswith(WHITEOUT):
                self._put(entry)

    def has(self, path: bytes) -> bool:
        """Whether there is something of that name; a symbolic link at the end is not followed."""
        node = self.root
        for name in path.split(b"/"):
            found = (node.children or {}).get(name)
            if found is None:
                return False
            node = found
        return True

    def _white_out(self, path: bytes, name: bytes) -> None:
        parent = self._find(path.rpartition(b"/")[0].split(b"/"))
        if parent is None or parent.children is None:
            return
        if name == OPAQUE:
            parent.children.clear()  # nothing of this layer is there yet
            return
        hidden = name[len(WHITEOUT) :]
        if hidden in {b"", b".", b".."}:
            raise ImageError(f"a whiteout of {hidden!r} in a layer: refused")
        parent.children.pop(hidden, None)

    def _put(self, entry: Entry) -> None:
        if not entry.path:
            if entry.mode & S_IFMT != S_IFDIR:
                raise ImageError("a layer replaces the root by something that is no folder: refused")
            self.root.entry, self.root.layer = entry, self._layer
            return
        *above, name = entry.path.split(b"/")
        children = self._folder(above, entry.path)
        if not entry.mode:
            children[name] = self._target(entry)
            return
        known = children.get(name)
        if known is not None and known.children is not None and entry.mode & S_IFMT == S_IFDIR:
            known.entry, known.layer = entry, self._layer
            return
        children[name] = Node(entry, self._layer)

    def _target(self, entry: Entry) -> Node:
        """What a hard link leads to: a name of this layer or of one below, never through a symbolic link of this layer."""
        found = self._find(entry.link.split(b"/"), last=False)
        if found is None or found.children is not None:
            raise ImageError(f"hard link {_text(entry.path)} of a layer to {_text(entry.link)}: no such file in the image")
        return found

    def _folder(self, names: list[bytes], path: bytes) -> "dict[bytes, Node]":
        """The children of the folder ``names``; missing ones are made."""
        node = self.root
        for at, name in enumerate(names):
            children = node.children
            assert children is not None
            below = children.get(name)
            if below is None:
                below = children[name] = Node(Entry(b"/".join(names[: at + 1]), S_IFDIR | 0o755), self._layer)
            elif below.entry.mode & S_IFMT == S_IFLNK:
                found = self._find(names[: at + 1])
                if found is None or found.children is None:
                    raise ImageError(f"member {_text(path)} of a layer lies below a link that leads nowhere: refused")
                below = found
            if below.children is None:
                raise ImageError(f"member {_text(path)} of a layer lies below something that is no folder: refused")
            node = below
        assert node.children is not None
        return node.children

    def _find(self, names: list[bytes], *, last: bool = True) -> Node | None:
        """Walk ``names`` inside the image; ``last``: follow a symbolic link at the end too. Raises ImageError for a trick."""
        stack = [self.root]
        left = [name for name in reversed(names) if name]
        hops = 0
        while left:
            name = left.pop()
            if name == b".":
                continue
            if name == b"..":
                if len(stack) > 1:
                    stack.pop()
                continue
            children = stack[-1].children
            found = children.get(name) if children is not None else None
            if found is None:
                return None
            if found.entry.mode & S_IFMT == S_IFLNK and (left or last):
                if found.layer == self._layer:
                    raise ImageError(f"a layer goes through its own symbolic link {_text(found.entry.path)}: refused")
                hops += 1
                if hops > HOPS_MAX:
                    return None
                if found.entry.link.startswith(b"/"):
                    del stack[1:]
                left.extend(name for name in reversed(found.entry.link.split(b"/")) if name)
                continue
            stack.append(found)
        return stack[-1]


def _text(path: bytes) -> str:
    return repr(path.decode("utf-8", "backslashreplace"))
