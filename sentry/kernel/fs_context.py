"""Root, working directory and umask of a task (shared by CLONE_FS)."""

from sentry.vfs.context import Path


class FsContext:
    """What relative and absolute paths start from."""

    __slots__ = ("cwd", "root", "umask")

    def __init__(self, root: Path, cwd: Path, umask: int = 0o022) -> None:
        self.root = root
        self.cwd = cwd
        self.umask = umask

    def copy(self) -> "FsContext":
        """fork(2), unshare(CLONE_FS)."""
        return FsContext(self.root, self.cwd, self.umask)
