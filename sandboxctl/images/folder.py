"""The image ``dir:PATH``: any folder that holds a root file system."""

import os

from sandboxctl.errors import OptionError
from sandboxctl.images.image import Image


def resolve(path: str) -> Image:
    """Return the image of the folder ``path``. Raises OptionError."""
    if not path or "\0" in path:
        raise OptionError("dir: needs a folder, for example dir:./rootfs")
    root = os.path.abspath(os.path.expanduser(path))
    if not os.path.isdir(root):
        reason = "is not a folder" if os.path.lexists(root) else "does not exist"
        raise OptionError(f"dir:{path}: {root} {reason}; give the folder that holds the root file system")
    if not os.access(root, os.R_OK | os.X_OK):
        raise OptionError(f"dir:{path}: {root} is not readable by you; change its permissions or choose another")
    return Image(f"dir:{path}", root, allows_write_through=True)
