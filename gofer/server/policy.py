"""What of a tree the peer may see. Hidden folders are known by name and, so that a bind mount is no way round, by identity.

The C core applies it (``struct gofer_policy``): hidden folders and kernel file systems of the host look like empty folders,
hidden files and, if asked for, sockets are absent.
"""

from os import close
from time import time_ns

from gofer._sys._native import ffi, lib
from gofer.protocol.config import Tree

HIDDEN_MAX = 32
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Veils = dict[bytes, "Veils"]

#: file systems whose server may never answer (f_type): NFS, 9P, FUSE, CIFS, SMB, SMB2, Ceph, AFS, Coda, GFS2, OCFS2, Lustre
REMOTE_MAGICS = frozenset(
    (0x6969, 0x01021997, 0x65735546, 0xFF534D42, 0x517B, 0xFE534D42, 0x00C36400)
    + (0x6B414653, 0x5346414F, 0x73757245, 0x01161970, 0x7461636F, 0x0BD00BD0)
)


class TreePolicy:
    """The rules of one tree. ``data`` is the C record; ``root_fd`` the tree's root, open for the gofer's whole life."""

    __slots__ = ("_remote_devs", "data", "is_writable", "only", "root_attr", "root_fd", "veils")

    def __init__(self, root_fd: int, tree: Tree) -> None:
        self.root_fd = root_fd
        self.is_writable = tree.is_writable
        self.only = tree.only
        self._remote_devs: dict[int, bool] = {}
        self.root_attr: Any = ffi.new("struct gofer_attr *")
        error = lib.gofer_stat(root_fd, self.root_attr)
        if error < 0:
            raise OSError(-error, "exported folder cannot be examined")
        self.data: Any = ffi.new("struct gofer_policy *")
        self.data.hide_sockets = tree.hide_sockets
        self.data.veil_time_ns = time_ns()
        self.data.root_dev = self.root_attr.dev
        self.veils: Veils | None = None
        for path in tree.hidden:
            self._hide(path)

    @staticmethod
    def veils_below(veils: "Veils | None", name: bytes) -> "Veils | None":
        """The hidden names below the child ``name``; {} means that the child itself is hidden."""
        return veils.get(name) if veils else None

    def is_remote(self, dev: int, fd: int) -> bool:
        """Whether the file system ``dev``, of which ``fd`` is a descriptor, is on a network."""
        known = self._remote_devs.get(dev)
        if known is None:
            known = self._remote_devs[dev] = lib.gofer_fs_magic(fd) in REMOTE_MAGICS
        return known

    def _hide(self, path: bytes) -> None:
        names = [name for name in path.split(b"/") if name not in {b"", b".", b".."}]
        if not names:
            return
        if self.veils is None:
            self.veils = {}
        place = self.veils
        for name in names[:-1]:
            if name in place and not place[name]:
                return  # a parent is hidden already
            place = place.setdefault(name, {})
        place[names[-1]] = {}
        self._hide_identity(names)

    def _hide_identity(self, names: "list[bytes]") -> None:
        attr = ffi.new("struct gofer_attr *")
        fd = self.root_fd
        for name in names:
            below = lib.gofer_open_path(fd, name, attr)
            if fd != self.root_fd:
                close(fd)
            if below < 0:
                return  # absent now; the name stays hidden
            fd = below
        close(fd)
        data = self.data
        if attr.mode & 0o170000 == 0o040000 and (attr.dev, attr.ino) != (self.root_attr.dev, self.root_attr.ino):
            if data.hidden_count >= HIDDEN_MAX:
                raise OSError(7, "too many hidden folders")
            data.hidden[2 * data.hidden_count] = attr.dev
            data.hidden[2 * data.hidden_count + 1] = attr.ino
            data.hidden_count += 1
