"""Finds the image that a name stands for. Another kind of image is one more entry of ``_FOLDERS`` or a transport."""

import os
from collections.abc import Callable

from sandboxctl.errors import OptionError
from sandboxctl.images import folder, host
from sandboxctl.images.image import Image

_FOLDERS: dict[str, Callable[[str], Image]] = {"host": host.resolve, "dir": folder.resolve}
TRANSPORTS = ("oci", "oci-archive", "docker-archive", "docker", "tar")
_KNOWN = (
    "host, dir:PATH, tar:FILE, oci:DIR[:REF], oci-archive:FILE, docker-archive:FILE, docker://HOST/NAME[:TAG], "
    "or a name of the store (see: sandboxctl images)"
)


def resolve(name: str) -> Image:
    """Return the image; one that has to be fetched is fetched. Raises OptionError that names the kinds there are, ImageError."""
    kind, colon, rest = name.partition(":")
    if kind in _FOLDERS and (bool(colon) == (kind != "host")):
        return _FOLDERS[kind](rest)
    if colon and kind in TRANSPORTS:
        from sandboxctl.images import stored

        return stored.add(kind, rest)
    found = _stored(name)
    if found is not None:
        return found
    hint = f"; to run a program of this machine: sandboxctl run host -- {name}" if "/" not in name and not colon else ""
    raise OptionError(f"unknown image {name!r}: use {_KNOWN}{hint}")


def absolute(name: str) -> str:
    """The same image from wherever it is looked for: a path in its name is made absolute."""
    kind, colon, rest = name.partition(":")
    if not colon or kind == "docker" or kind not in {*_FOLDERS, *TRANSPORTS} or not rest or rest.startswith("/"):
        return name
    return f"{kind}:{os.path.join(os.getcwd(), os.path.expanduser(rest))}"


def _stored(name: str) -> Image | None:
    from sandboxctl.images import stored
    from sandboxctl.store.errors import ImageError

    try:
        return stored.resolve(name)
    except ImageError as error:
        if "is not an image name" in str(error) or "is not a tag" in str(error):
            return None  # a word that could not be one: the caller lists what there is
        raise
