"""Named volumes: folders beside the image store that outlive sandboxes. A name is a folder's; there is no other record."""

import os
import shutil
import tempfile

from sandboxctl.errors import OptionError
from sandboxctl.store.place import default_root

_CHARACTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_NAME_MAX = 128


class Volumes:
    """All named volumes of this user."""

    def __init__(self, root: str | None = None) -> None:
        self.root = root if root is not None else os.path.join(os.path.dirname(default_root()), "volumes")

    def path(self, name: str) -> str:
        """The folder of a volume, whether there is one or not. Raises OptionError for what is no name."""
        if not (0 < len(name) <= _NAME_MAX and set(name) <= _CHARACTERS and name[0] not in "._-"):
            raise OptionError(f"{name!r} is no name of a volume: letters, digits, '_', '.' and '-', a letter or digit first")
        return os.path.join(self.root, name)

    def names(self) -> list[str]:
        """All names, sorted."""
        try:
            return sorted(name for name in os.listdir(self.root) if not name.startswith("."))
        except FileNotFoundError:
            return []

    def make(self, name: str) -> str:
        """The folder of the volume, made if it is missing. Raises OptionError."""
        path = self.path(name)
        try:
            os.makedirs(self.root, 0o711, exist_ok=True)
            os.makedirs(path, 0o755, exist_ok=True)
        except OSError as error:
            raise OptionError(f"cannot make the volume {path}: {error.strerror}") from None
        return path

    def remove(self, name: str) -> None:
        """Remove a volume and all that is in it: renamed first, so that nobody sees half of it. Raises OptionError."""
        path = self.path(name)
        if not os.path.isdir(path):
            raise OptionError(f"no volume {name!r}; see: sandboxctl volume ls")
        gone = os.path.join(tempfile.mkdtemp(prefix=".gone-", dir=self.root), "volume")
        os.rename(path, gone)
        shutil.rmtree(os.path.dirname(gone), ignore_errors=True)
