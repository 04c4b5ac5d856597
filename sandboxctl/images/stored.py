"""Images of the store: by name, by id, and through any of the transports that put them there first."""

import fcntl
import os

from sandboxctl.images.image import Image
from sandboxctl.store import names, record
from sandboxctl.store.errors import ImageError
from sandboxctl.store.place import Place
from sandboxctl.store.record import ImageRecord


def find(place: Place, text: str) -> tuple[str, ImageRecord, str] | None:
    """(name or "", image, manifest digest) of a name or an id; None if the store has none. Raises ImageError."""
    known = names.read(place)
    found = None
    if not text.startswith("sha256:"):
        try:
            found = names.find(known, text)
        except ImageError:
            if record.by_prefix(place, text) is None:
                raise
    if found is not None:
        name, target = found
        image = record.read(place, target.image)
        if image is None:
            raise ImageError(f"image {name} of the store {place.root!r} is damaged; remove it with rmi and pull it again")
        return name, image, target.manifest
    image_id = record.by_prefix(place, text)
    image = record.read(place, image_id) if image_id else None
    return ("", image, image.manifest) if image is not None else None


def image_of(place: Place, name: str, found: ImageRecord) -> Image:
    """What ``run`` needs of an image of the store."""
    layers = tuple(place.layer(layer) for layer in found.layers)
    machine = f"{found.os}/{found.architecture}" if found.os and found.architecture else ""
    return Image(
        name, place.image(found.id), hide_sockets=False, layers=layers, config=found.config, id=found.id, machine=machine
    )


def resolve(text: str) -> Image | None:
    """The image that a bare name or an id stands for, None if the store has none. Raises ImageError."""
    place = Place()
    found = find(place, text)
    return image_of(place, text, found[1]) if found is not None else None


def add(kind: str, text: str) -> Image:
    """The image that ``kind:text`` leads to, put into the store first if it is not there. Raises ImageError."""
    place = Place()
    if kind == "docker":
        name = text.removeprefix("//")
        if not text.startswith("//"):
            raise ImageError(f"docker:{text} needs two slashes: docker://HOST/NAME:TAG")
        found = find(place, name) if "/" in name else None
        if found is None:
            from sandboxctl.images.remote.pull import PullOptions, pull

            return image_of(place, name, pull(name, PullOptions()).image)
        return image_of(place, name, found[1])
    from sandboxctl.images.transport import add as add_from

    return image_of(place, f"{kind}:{text}", add_from(kind, text, place).image)


def hold(image: Image) -> int:
    """A descriptor that keeps the image from being removed while it is open, -1 for a plain folder. Raises ImageError."""
    if image.layers is None:
        return -1
    path = os.path.join(image.root, "index")
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(fd, fcntl.LOCK_SH)  # whoever removes it has it for a moment only
        if os.path.samestat(os.fstat(fd), os.stat(path)):
            return fd
        os.close(fd)
    except OSError:
        pass
    raise ImageError(f"image {image.name} has just been removed; pull or load it again")
