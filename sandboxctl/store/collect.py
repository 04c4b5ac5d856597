"""Removes what nothing refers to any more: images without a name if asked, layers, blobs, leftovers of killed commands."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator

from sandboxctl.store import names, record
from sandboxctl.store.errors import ImageError
from sandboxctl.store.place import hex_of
from sandboxctl.store.store import Store


@contextlib.contextmanager
def unused(store: Store, image_id: str) -> Iterator[bool]:
    """Whether no running sandbox holds the image; as long as this lasts none can begin to."""
    try:
        fd = os.open(os.path.join(store.place.image(image_id), "index"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(fd)


def drop_image(store: Store, image_id: str) -> None:
    """Remove an image; its layers and blobs go with ``collect``. Within ``removing()`` and ``unused()``."""
    folder = store.place.image(image_id)
    gone = os.path.join(store.place.path("tmp"), f"gone-{hex_of(image_id)}")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(gone, ignore_errors=True)
        os.rename(folder, gone)
        shutil.rmtree(gone, ignore_errors=True)


def collect(store: Store, *, partial: bool = False) -> int:
    """Remove what no image needs; returns the bytes freed. ``partial``: cut-off downloads too. Within ``removing()``."""
    place = store.place
    layers, blobs, images = _needed(store)
    freed = 0
    for name in os.listdir(place.path("images")):
        if name not in images:
            freed += _remove(place.path("images", name))
    for name in os.listdir(place.path("layers")):
        if name not in layers:
            freed += _remove(place.path("layers", name))
    for name in os.listdir(place.path("blobs", "sha256")):
        if name not in blobs:
            freed += _remove(place.path("blobs", "sha256", name))
    for name in os.listdir(place.path("sources")):
        with open(place.path("sources", name), encoding="ascii", errors="replace") as file:
            is_dead = file.readline().strip().removeprefix("sha256:") not in images
        if is_dead:
            _remove(place.path("sources", name))
    for folder in ("tmp", *(("partial",) if partial else ())):
        for name in os.listdir(place.path(folder)):
            freed += _remove(place.path(folder, name))
    return freed


def _needed(store: Store) -> tuple[set[str], set[str], set[str]]:
    """Hexadecimal names of the layers, blobs and images that must stay."""
    layers: set[str] = set()
    manifests = {target.manifest for target in names.read(store.place).values()}
    images = set()
    blobs = set()
    for image_id in record.all_ids(store.place):
        found = record.read(store.place, image_id)
        if found is None:
            continue
        images.add(hex_of(image_id))
        blobs.add(hex_of(image_id))
        layers |= {hex_of(layer) for layer in found.layers}
        manifests.add(found.manifest)
    for digest in manifests:
        blobs.add(hex_of(digest))
        try:
            wanted = store.manifest(digest)
        except ImageError:
            continue
        blobs |= {hex_of(wanted.config.digest), *(hex_of(layer.digest) for layer in wanted.layers)}
    return layers, blobs, images


def _remove(path: str) -> int:
    """Remove a file or a folder; returns what it occupied."""
    if not os.path.isdir(path) or os.path.islink(path):
        size = os.lstat(path).st_blocks * 512
        os.unlink(path)
        return size
    size = sum(os.lstat(os.path.join(at, name)).st_blocks * 512 for at, _, files in os.walk(path) for name in files)
    shutil.rmtree(path, ignore_errors=True)
    return size
