"""Adds the image of a file or folder to the store, once: a file that has not changed since is not read again."""

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandboxctl.store import record
from sandboxctl.store.errors import ImageError
from sandboxctl.store.place import Place
from sandboxctl.store.record import ImageRecord

if TYPE_CHECKING:
    from sandboxctl.store.store import Store


@dataclass(frozen=True, slots=True)
class Added:
    """An image that is in the store now; ``names`` are those that the source gives it."""

    image: ImageRecord
    manifest: str
    names: tuple[str, ...] = ()


def add(kind: str, text: str, place: Place) -> Added:
    """Add the image that ``kind:text`` names and return it. Raises ImageError."""
    path, reference = split(kind, text)
    seen = "" if kind == "oci" else _identity(kind, path, reference)
    known = _recall(place, seen) if seen else None
    if known is not None:
        return known
    from sandboxctl.store.store import Store

    store = Store(place)
    with store.adding():
        added = _read(kind, store, path, reference)
        if seen:
            place.write(place.path("sources", seen), f"{added.image.id}\n{added.manifest}\n".encode())
    return added


def _read(kind: str, store: "Store", path: str, reference: str) -> Added:
    if kind == "oci":
        from sandboxctl.images.transport import layout

        return layout.add(store, layout.Folder(path), reference)
    if kind == "tar":
        from sandboxctl.images.transport import rootfs

        return rootfs.add_file(store, path)
    from sandboxctl.images.transport import docker_archive, layout
    from sandboxctl.images.transport.tar_file import TarFile

    with TarFile(store.place.path("tmp"), path) as archive:
        if kind == "oci-archive":
            return layout.add(store, layout.InArchive(archive), reference)
        return docker_archive.add(store, archive, reference)[0]


def split(kind: str, text: str) -> tuple[str, str]:
    """Path and reference of ``PATH[:REF]``. Raises ImageError."""
    path, colon, reference = text, "", ""
    if kind != "tar" and not os.path.lexists(os.path.expanduser(text)):
        path, colon, reference = text.partition(":")
    whole = os.path.abspath(os.path.expanduser(path))
    what = "folder" if kind == "oci" else "file"
    if not path or "\0" in text or not (os.path.isdir if kind == "oci" else os.path.isfile)(whole):
        raise ImageError(f"{kind}:{text}: there is no {what} {whole!r}; give the {what} of the image")
    if colon and not reference:
        raise ImageError(f"{kind}:{text}: nothing follows the last colon")
    return whole, reference


def _identity(kind: str, path: str, reference: str) -> str:
    try:
        found = os.stat(path)
    except OSError as error:
        raise ImageError(f"{kind}:{path}: {error.strerror}") from None
    stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    parts = (kind, os.path.realpath(path), reference, *stamp)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _recall(place: Place, seen: str) -> Added | None:
    try:
        with open(place.path("sources", seen), encoding="ascii") as file:
            image_id, digest = file.read().split()
    except (OSError, ValueError):
        return None
    image = record.read(place, image_id)
    return Added(image, digest) if image is not None else None
