"""Descriptors of the mount calls of Linux 5.2: a file system being set up (fsopen(2)), and a mount that is in no tree yet."""

from typing import TYPE_CHECKING

from sentry.vfs.special import PathFile

if TYPE_CHECKING:
    from sentry.vfs.context import Path
    from sentry.vfs.inode import FileSystem, Inode
    from sentry.vfs.mount import Mount, MountNamespace


class DetachedFile(PathFile):
    """What open_tree(OPEN_TREE_CLONE) and fsmount(2) return: an O_PATH descriptor that keeps a tree of its own."""

    __slots__ = ("tree",)

    def __init__(self, inode: "Inode", flags: int, path: "Path", tree: "MountNamespace") -> None:
        super().__init__(inode, flags, path)
        self.tree = tree


class FsParameters:
    """What fsconfig(2) has collected; ``made`` is the file system after FSCONFIG_CMD_CREATE, ``mount`` what fspick(2) chose."""

    __slots__ = ("is_mounted", "kind", "made", "mount", "options", "source")

    def __init__(self, kind: bytes, mount: "Mount | None" = None) -> None:
        self.kind = kind
        self.mount = mount
        self.options: dict[bytes, bytes] = {}
        self.source = b"none"
        self.made: FileSystem | None = None
        self.is_mounted = False
