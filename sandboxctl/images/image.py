"""What a sandbox's root file system is made of, whatever kind of image it came from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Image:
    """A host folder and how much of it may be seen.

    ``hidden`` are paths below it that look empty. ``allows_write_through``: ``--rw`` makes sense
    here. ``home`` is HOME inside, None for what the image's /etc/passwd says.
    """

    name: str
    root: str
    hidden: tuple[str, ...] = ()
    hide_sockets: bool = True
    allows_write_through: bool = False
    home: str | None = None
