"""Writes a tree as the index that the sentry maps (``sentry.fs.image.index`` has the layout)."""

from sandboxctl.store.entry import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from sandboxctl.store.tree import Node, Tree
from sentry.fs.image.index import COUNT, ENTRY, HEADER, INODE, MAGIC, XATTR


class _Strings:
    """Bytes one after the other, equal ones once."""

    def __init__(self) -> None:
        self._at: dict[bytes, int] = {}
        self.data = bytearray()

    def put(self, text: bytes) -> int:
        at = self._at.get(text)
        if at is None:
            at = self._at[text] = len(self.data)
            self.data += text
        return at


def encode(tree: Tree, layers: int) -> bytes:
    """The file's bytes."""
    nodes: list[Node] = [tree.root]
    numbers: dict[int, int] = {id(tree.root): 1}
    links: dict[int, int] = {}
    strings, xattrs = _Strings(), _Strings()
    entries = bytearray()
    places: dict[int, tuple[int, int, int]] = {}  # of a directory: first entry, count, folders in it
    at = 0
    while at < len(nodes):  # breadth first: a directory's entries lie together
        node = nodes[at]
        at += 1
        if node.children is None:
            continue
        first, folders = len(entries) // ENTRY.size, 0
        for name in sorted(node.children):
            child = node.children[name]
            number = numbers.get(id(child))
            if number is None:
                nodes.append(child)
                number = numbers[id(child)] = len(nodes)
            links[id(child)] = links.get(id(child), 0) + 1
            folders += child.children is not None
            entries += ENTRY.pack(strings.put(name), number, len(name), (child.entry.mode & S_IFMT) >> 12)
        places[id(node)] = (first, len(node.children), folders)
    inodes = b"".join([_inode(node, places.get(id(node)), links.get(id(node), 1), strings, xattrs) for node in nodes])
    sections = (inodes, bytes(entries), bytes(strings.data), bytes(xattrs.data))
    offsets, position = [], HEADER.size
    for section in sections:
        offsets.append(position)
        position += len(section)
    return HEADER.pack(MAGIC, len(nodes), layers, *offsets, position) + b"".join(sections)


def _inode(node: Node, place: tuple[int, int, int] | None, links: int, strings: _Strings, xattrs: _Strings) -> bytes:
    entry = node.entry
    kind = entry.mode & S_IFMT
    where = count = 0
    if kind == S_IFDIR:
        assert place is not None
        where, count, folders = place
        links = 2 + folders
    elif kind == S_IFLNK:
        where = strings.put(entry.link)
    elif kind == S_IFREG:
        where = entry.where
    attributes = 1 + xattrs.put(_xattrs(entry.xattrs)) if entry.xattrs else 0
    numbers = (entry.mode, entry.uid, entry.gid, links, entry.size, entry.mtime_ns, where, entry.rdev, attributes, count)
    return INODE.pack(*numbers, max(0, node.layer), entry.kind)


def _xattrs(pairs: tuple[tuple[bytes, bytes], ...]) -> bytes:
    parts = [COUNT.pack(len(pairs))]
    for name, value in pairs:
        parts += (XATTR.pack(len(name), len(value)), name, value)
    return b"".join(parts)
