"""OCI image layouts, as folders and in archives (image-spec, image-layout.md)."""

import os
from typing import Final, Protocol

from sandboxctl.images.platform import host_platform
from sandboxctl.images.transport.source import Added
from sandboxctl.images.transport.tar_file import TarFile
from sandboxctl.store import manifest
from sandboxctl.store.errors import ImageError
from sandboxctl.store.manifest import CONFIG_MAX, MANIFEST_MAX, REF_NAME, Descriptor, Index, Manifest
from sandboxctl.store.place import hex_of
from sandboxctl.store.store import Store
from sandboxctl.store.stream import Readable

_DEPTH_MAX: Final = 4


class Layout(Protocol):
    """Where blobs come from."""

    def index(self) -> bytes:
        """index.json."""

    def open(self, digest: str) -> Readable:
        """A blob. Raises ImageError."""


class Folder:
    """A layout in a folder."""

    def __init__(self, path: str) -> None:
        self._path = path

    def index(self) -> bytes:
        """index.json. Raises ImageError."""
        try:
            with open(os.path.join(self._path, "index.json"), "rb") as file:
                return file.read(MANIFEST_MAX)
        except OSError as error:
            raise ImageError(f"oci:{self._path}: cannot read index.json: {error.strerror}; is it an OCI image layout?") from None

    def open(self, digest: str) -> Readable:
        """A blob. Raises ImageError."""
        try:
            return open(os.path.join(self._path, "blobs", "sha256", hex_of(digest)), "rb")
        except OSError as error:
            raise ImageError(f"oci:{self._path}: cannot read blob {digest}: {error.strerror}") from None


class InArchive:
    """A layout in a tar archive."""

    def __init__(self, archive: TarFile) -> None:
        self._archive = archive

    def index(self) -> bytes:
        """index.json. Raises ImageError."""
        return self._archive.read("index.json", MANIFEST_MAX)

    def open(self, digest: str) -> Readable:
        """A blob. Raises ImageError."""
        return self._archive.open(f"blobs/sha256/{hex_of(digest)}")


def add(store: Store, layout: Layout, reference: str = "") -> Added:
    """Add the image ``reference`` of a layout, the only one if it is empty. Raises ImageError."""
    index = manifest.decode(layout.index(), Index, "index.json")
    return add_descriptor(store, layout, pick(index, reference))


def pick(index: Index, reference: str) -> Descriptor:
    """The entry of index.json that is meant. Raises ImageError that lists the names there are."""
    names = {(entry.annotations or {}).get(REF_NAME, ""): entry for entry in index.manifests}
    if reference:
        if reference in names:
            return names[reference]
        matching = [entry for name, entry in names.items() if name.endswith(f":{reference}")]
        if len(matching) == 1:
            return matching[0]
        raise ImageError(f"the layout has no {reference!r}; it has: {', '.join(filter(None, names)) or 'no names'}")
    if len(index.manifests) == 1:
        return index.manifests[0]
    raise ImageError(f"the layout has {len(index.manifests)} images; choose one: {', '.join(filter(None, names)) or 'no names'}")


def add_descriptor(store: Store, layout: Layout, wanted: Descriptor) -> Added:
    """Add the image that a descriptor of index.json leads to. Raises ImageError."""
    name = (wanted.annotations or {}).get(REF_NAME, "")
    for _ in range(_DEPTH_MAX):
        data = _read(layout, wanted, MANIFEST_MAX)
        if not manifest.is_index(data):
            break
        wanted = manifest.choose(manifest.decode(data, Index, "the index"), host_platform())
    else:
        raise ImageError("the layout's indexes are nested too deep: refused")
    found = manifest.decode(data, Manifest, "the manifest")
    store.put_bytes(_read(layout, found.config, CONFIG_MAX))
    for descriptor in found.layers:
        if not store.has_blob(descriptor.digest):
            store.put_blob(layout.open(descriptor.digest), descriptor.digest, descriptor.size)
    digest = store.put_bytes(data)
    return Added(store.add_image(digest), digest, (name,) if name else ())


def _read(layout: Layout, wanted: Descriptor, limit: int) -> bytes:
    if not 0 <= wanted.size <= limit:
        raise ImageError(f"blob {wanted.digest[:90]} claims {wanted.size} bytes: refused")
    data = layout.open(wanted.digest).read(wanted.size + 1)
    import hashlib

    Store.check_digest(f"sha256:{hashlib.sha256(data).hexdigest()}", len(data), wanted.digest, wanted.size)
    return data
