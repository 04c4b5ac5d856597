"""Which guest file a mapping of a host descriptor shows: /proc/PID/maps must name the guest's files, never the host's."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import ReferenceType, ref

from sentry.host import regular_file
from sentry.vfs.context import Path
from sentry.vfs.lookup import pathname_of

if TYPE_CHECKING:
    from sentry.vfs.dentry import Dentry
    from sentry.vfs.file import FileDescription
    from sentry.vfs.mount import Mount

ENTRIES_MAX: Final = 16_384


@dataclass(slots=True)
class MappedFile:
    """A guest file that was lent to the host for mapping. ``name`` is its last component, which the host knows as well."""

    dev: int
    ino: int
    name: bytes
    mount: "Mount | None"
    dentry: "ReferenceType[Dentry] | None"
    text: bytes

    def is_at(self, path: Path) -> bool:
        """Whether this is the same name."""
        return self.dentry is not None and self.dentry() is path.dentry

    def pathname(self, root: Path) -> bytes:
        """The name as seen from ``root``: the current one while the VFS remembers the file, else the last known."""
        dentry = self.dentry() if self.dentry is not None else None
        if dentry is None or self.mount is None:
            return self.text
        self.text = pathname_of(Path(self.mount, dentry), root)
        return self.text


class MappedFiles:
    """Host (device, inode) to guest file, the least recently mapped forgotten first."""

    __slots__ = ("_by_identity", "_by_ino")

    def __init__(self) -> None:
        self._by_identity: OrderedDict[tuple[int, int], MappedFile] = OrderedDict()
        self._by_ino: dict[int, MappedFile] = {}

    def note(self, host_fd: int, file: "FileDescription", root: Path, path: Path | None = None) -> None:
        """``host_fd`` backs mappings of ``file`` from now on; ``path`` is where it was found if the file does not know it."""
        identity = regular_file.identity(host_fd)
        attr = file.inode.attr
        path = path or file.path
        known = self._by_identity.get(identity)
        if known is not None and path is not None and known.ino == attr.ino and known.is_at(path):
            return
        if path is None:
            entry = MappedFile(file.inode.fs.dev, attr.ino, b"", None, None, file.describe())
        else:
            text = pathname_of(path, root)
            entry = MappedFile(file.inode.fs.dev, attr.ino, path.dentry.name, path.mount, ref(path.dentry), text)
        self._by_identity[identity] = entry
        self._by_identity.move_to_end(identity)
        self._by_ino[identity[1]] = entry
        if len(self._by_identity) > ENTRIES_MAX:
            (_, ino), old = self._by_identity.popitem(last=False)
            if self._by_ino.get(ino) is old:
                del self._by_ino[ino]

    def find(self, dev: int, ino: int, host_name: bytes) -> MappedFile | None:
        """The guest file of a line in the host's maps.

        Layered host file systems show another device there than fstat(2) does; then inode and last component must agree.
        """
        entry = self._by_identity.get((dev, ino))
        if entry is None:
            entry = self._by_ino.get(ino)
            if entry is not None and (not entry.name or entry.name != host_name):
                return None
        return entry
