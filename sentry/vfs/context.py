"""Small records that travel through the VFS: a place in the mount tree, and who opens what."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sentry.kernel.task import Task
    from sentry.vfs.dentry import Dentry
    from sentry.vfs.inode import Inode
    from sentry.vfs.mount import Mount


class Path(NamedTuple):
    """A dentry seen through a mount (Linux's struct path)."""

    mount: "Mount"
    dentry: "Dentry"

    @property
    def inode(self) -> "Inode":
        """The inode; precondition: the dentry is positive."""
        inode = self.dentry.inode
        assert inode is not None
        return inode


@dataclass(slots=True)
class OpenContext:
    """An open under way. ``flags`` are open(2)'s; ``is_created`` tells that this open made the file."""

    path: Path
    flags: int
    task: "Task"
    is_created: bool = False
