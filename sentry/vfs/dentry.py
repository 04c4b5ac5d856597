"""Directory entries: names in a tree, cached, negative ones included."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry.vfs.inode import Inode


class Dentry:
    """A name in a directory. ``inode`` None is a negative entry: the name is known to be absent."""

    __slots__ = ("__weakref__", "children", "inode", "is_deleted", "mounts_here", "name", "parent")

    def __init__(self, name: bytes, parent: "Dentry | None", inode: "Inode | None") -> None:
        self.name = name
        self.parent = parent if parent is not None else self
        self.inode = inode
        self.children: dict[bytes, Dentry] = {}
        self.mounts_here = 0  # how many mounts sit on this dentry, in any namespace
        self.is_deleted = False
