"""A sandbox as ``commit`` and ``diff`` see it: the image below, and a way to get what has changed."""

from collections.abc import Callable
from dataclasses import dataclass

from sandboxctl.images.image import Image
from sandboxctl.images.stored import resolve
from sandboxctl.session import Session
from sandboxctl.state.idle import IdleLink
from sandboxctl.state.link import Link
from sandboxctl.store.errors import ImageError


@dataclass(frozen=True, slots=True)
class Running:
    """``export(fd)`` writes the changes as a layer into a host file and returns how many objects no layer can hold."""

    image: Image
    export: Callable[[int], int]


def of_session(session: Session) -> Running:
    """A sandbox of this process. Raises ImageError if its image has no layers."""
    if session.image.layers is None:
        raise _folder(session.image.name)
    return Running(session.image, session.export_changes)


def of_link(link: Link | IdleLink) -> Running:
    """A detached sandbox. Raises ImageError if its image has no layers, SandboxError."""
    told = link.ask("image")
    image = resolve(str(told["id"])) if told["id"] else None
    if image is None:
        raise _folder(str(told["name"]))
    return Running(image, lambda fd: int(link.ask("export", [fd])["left_out"]))


def _folder(name: str) -> ImageError:
    return ImageError(f"{name} is a folder, not an image with layers: use tar:FILE or import to make one of it first")
