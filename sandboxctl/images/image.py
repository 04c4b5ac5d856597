"""What a sandbox's root file system is made of, whatever kind of image it came from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Image:
    """A host folder and how much of it may be seen.

    ``hidden`` are paths below it that look empty. ``reads_as_caller``: a gofer of root keeps root's view of the files, because
    the caller chose this folder for the sandbox; without it root's gofer reads as nobody.
    """

    name: str
    root: str
    hidden: tuple[str, ...] = ()
    hide_sockets: bool = True
    reads_as_caller: bool = False
    allows_write_through: bool = False
    home: str | None = None
