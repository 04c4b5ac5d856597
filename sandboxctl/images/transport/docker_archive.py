"""What ``docker save`` and ``podman save`` write: manifest.json, configurations and plain layers in one tar archive."""

import msgspec

from sandboxctl.images.transport.source import Added
from sandboxctl.images.transport.tar_file import TarFile
from sandboxctl.store import manifest
from sandboxctl.store.errors import ImageError
from sandboxctl.store.manifest import CONFIG_MAX, MANIFEST_MAX, Config, Descriptor
from sandboxctl.store.reference import local
from sandboxctl.store.store import Store


class Item(msgspec.Struct, rename="pascal"):
    """One image of manifest.json."""

    config: str
    layers: list[str]
    repo_tags: list[str] | None = None


def add(store: Store, archive: TarFile, reference: str = "") -> list[Added]:
    """Add the image ``reference``, or all if it is empty and ``run`` takes the only one. Raises ImageError."""
    items = manifest.decode(archive.read("manifest.json", MANIFEST_MAX), list[Item], "manifest.json")
    if reference:
        wanted = str(local(reference))
        items = [item for item in items if wanted in names_of(item) or reference in (item.repo_tags or ())]
    if not items:
        raise ImageError(f"the archive has no image {reference!r}" if reference else "the archive has no image")
    return [_add(store, archive, item) for item in items]


def names_of(item: Item) -> tuple[str, ...]:
    """The item's names, complete."""
    return tuple(str(local(name)) for name in item.repo_tags or ())


def _add(store: Store, archive: TarFile, item: Item) -> Added:
    raw = archive.read(item.config, CONFIG_MAX)
    diff_ids = manifest.decode(raw, Config, "the image's configuration").rootfs.diff_ids
    if len(diff_ids) != len(item.layers):
        raise ImageError(f"the image's configuration names {len(diff_ids)} layers, manifest.json {len(item.layers)}")
    layers = []
    for name in item.layers:
        digest, size = store.put_blob(archive.open(name))
        with open(store.place.blob(digest), "rb") as file:
            kind = {b"\x1f\x8b": "+gzip", b"\x28\xb5": "+zstd"}.get(file.read(2), "")
        layers.append(Descriptor(manifest.OCI_LAYER + kind, digest, size))
    digest = store.put_manifest(raw, layers)
    return Added(store.add_image(digest), digest, names_of(item))
