"""A host file mapped for reading: the index of an image."""

from mmap import MAP_SHARED, PROT_READ, mmap
from os import close


def map_file(fd: int) -> mmap:
    """Map all of ``fd``, which is closed. Raises OSError, ValueError for an empty file."""
    try:
        return mmap(fd, 0, MAP_SHARED, PROT_READ)
    finally:
        close(fd)
