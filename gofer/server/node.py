"""Directories that the peer holds, and the bounded set of descriptors that stand for them.

A node is (parent node, name, dev, ino). Descriptors are scarce (hard limits of 4 096 are common), so only the most recently
used nodes keep an O_PATH descriptor; the others are opened again from their parent and must turn out to be the same
directory (dev and ino), else the peer gets ESTALE. A path is therefore never walked twice with another result.
"""

from errno import ENFILE, ENOENT, ESTALE
from os import close

from gofer._sys._native import ffi, lib
from gofer.server.policy import TreePolicy
from gofer.server.watch import Watches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gofer.server.policy import Veils


class Node:
    """One directory. ``veils`` are the hidden names below it ({} under a name: hidden here), None for none."""

    __slots__ = ("dev", "fd", "ino", "is_veiled", "name", "number", "parent", "policy", "veils", "watch", "watches")

    def __init__(self, policy: TreePolicy, parent: "Node | None", name: bytes, dev: int, ino: int) -> None:
        self.policy = policy
        self.parent = parent
        self.name = name
        self.dev = dev
        self.ino = ino
        self.fd = -1
        self.number = 0
        self.is_veiled = False
        self.watches: Watches | None = parent.watches if parent is not None else None
        self.watch = 0
        self.veils: Veils | None = policy.veils if parent is None else policy.veils_below(parent.veils, name)


class NodeTable:
    """Numbers to nodes of one connection. Numbers are never used twice."""

    def __init__(self, descriptors_max: int, nodes_max: int) -> None:
        self._descriptors_max = descriptors_max
        self._nodes_max = nodes_max
        self._nodes: dict[int, Node] = {}
        self._recent: dict[Node, None] = {}  # oldest first: nodes that hold a descriptor
        self._next = 1

    def __len__(self) -> int:
        return len(self._nodes)

    @property
    def open_descriptors(self) -> int:
        """How many nodes hold a descriptor (the roots' not counted)."""
        return len(self._recent)

    def check_room(self) -> None:
        """Errors: ENFILE when the peer holds too many nodes and must forget some first."""
        if len(self._nodes) >= self._nodes_max:
            raise OSError(ENFILE, "too many nodes")

    def add(self, node: Node) -> int:
        """Give ``node`` a number."""
        number = node.number = self._next
        self._next += 1
        self._nodes[number] = node
        if node.fd >= 0 and node.parent is not None:
            self._recent[node] = None
        return number

    def get(self, number: int) -> Node:
        """The node. Errors: ESTALE for a number that was not handed out, or was forgotten."""
        node = self._nodes.get(number)
        if node is None:
            raise OSError(ESTALE, "no such node")
        return node

    def forget(self, number: int) -> None:
        """Drop a number; an unknown one is ignored."""
        node = self._nodes.pop(number, None)
        if node is None:
            return
        if node.watch and node.watches is not None:
            node.watches.release(node.watch)
            node.watch = 0
        if node.parent is not None:
            self._drop_descriptor(node)

    def descriptor(self, node: Node) -> int:
        """An O_PATH descriptor of ``node``, valid until ``trim``. Errors: ENOENT below a veil, ESTALE."""
        if node.is_veiled:
            raise OSError(ENOENT, "veiled")
        if node.fd >= 0:
            if node.parent is not None:
                self._recent.pop(node, None)
                self._recent[node] = None
            return node.fd
        missing = []
        place: Node | None = node
        while place is not None and place.fd < 0:
            missing.append(place)
            place = place.parent
        assert place is not None, "a root always holds its descriptor"
        for below in reversed(missing):
            self._open_again(below)
        return node.fd

    def trim(self) -> None:
        """Close the least recently used descriptors beyond the bound. Called between requests."""
        recent = self._recent
        while len(recent) > self._descriptors_max:
            node = next(iter(recent))
            self._drop_descriptor(node)

    def _open_again(self, node: Node) -> None:
        assert node.parent is not None
        attr = ffi.new("struct gofer_attr *")
        fd = lib.gofer_open_path(node.parent.fd, node.name, attr)
        if fd < 0:
            raise OSError(ESTALE, "folder is gone")
        if attr.ino != node.ino or attr.dev != node.dev or attr.mode & 0o170000 != 0o040000:
            close(fd)
            raise OSError(ESTALE, "another folder by now")
        node.fd = fd
        self._recent[node] = None

    def _drop_descriptor(self, node: Node) -> None:
        self._recent.pop(node, None)
        if node.fd >= 0:
            close(node.fd)
            node.fd = -1
