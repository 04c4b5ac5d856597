"""Finds the image that a name stands for. Another kind of image is one more entry of ``_KINDS``."""

from collections.abc import Callable

from sandboxctl.errors import OptionError
from sandboxctl.images import folder, host
from sandboxctl.images.image import Image

_KINDS: dict[str, Callable[[str], Image]] = {"host": host.resolve, "dir": folder.resolve}


def resolve(name: str) -> Image:
    """Return the image. Raises OptionError that names the kinds there are."""
    kind, colon, rest = name.partition(":")
    if kind in _KINDS and (bool(colon) == (kind != "host")):
        return _KINDS[kind](rest)
    hint = f"; to run a program of this machine: sandboxctl run host -- {name}" if "/" not in name and not colon else ""
    raise OptionError(f"unknown image {name!r}: use host or dir:PATH{hint}")
