"""image.json: what is known of an image without reading its blobs. Light: ``run`` reads it at every start."""

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

from sandboxctl.images.image import RunConfig
from sandboxctl.store.errors import ImageError
from sandboxctl.store.place import Place, hex_of

VERSION = 1


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """``layers`` are digests of plain archives, the lowest first; ``size`` the bytes of all contents; ``created`` RFC 3339."""

    id: str
    manifest: str
    layers: tuple[str, ...]
    created: str
    architecture: str
    os: str
    size: int
    config: RunConfig


def read(place: Place, image_id: str) -> ImageRecord | None:
    """The record, None if there is no such image, or none that can be used. Raises ImageError."""
    try:
        with open(os.path.join(place.image(image_id), "image.json"), "rb") as file:
            found = json.load(file)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        raise ImageError(f"cannot read the image {image_id}: {error.strerror}") from None
    if not isinstance(found, dict) or found.pop("version", 0) != VERSION:
        return None  # damaged, or of an older version of ours: it is made again from its layers
    config: dict[str, Any] = found.pop("config")
    config = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}
    found["layers"] = tuple(found["layers"])
    return ImageRecord(**found, config=RunConfig(**config))


def encode(record: ImageRecord) -> bytes:
    """The file's bytes."""
    return json.dumps({"version": VERSION, **asdict(record)}, indent=1).encode()


def all_ids(place: Place) -> list[str]:
    """Ids of all images that are complete."""
    try:
        names = os.listdir(place.path("images"))
    except FileNotFoundError:
        return []
    return sorted(f"sha256:{name}" for name in names if os.path.exists(place.path("images", name, "image.json")))


def by_prefix(place: Place, text: str) -> str | None:
    """The id that begins with ``text`` (at least two digits), None if there is none. Raises ImageError if it is not unique."""
    digits = text.removeprefix("sha256:")
    if len(digits) < 2 or not set(digits) <= set("0123456789abcdef"):
        return None
    found = [name for name in all_ids(place) if hex_of(name).startswith(digits)]
    if len(found) > 1:
        raise ImageError(f"{text!r} could be several images; write more digits of the id")
    return found[0] if found else None
