"""``load``: all images of an archive, or of a layout folder, with their names."""

import os
import tempfile
from typing import BinaryIO

from sandboxctl.images.transport import docker_archive, layout
from sandboxctl.images.transport.source import Added
from sandboxctl.images.transport.tar_file import TarFile
from sandboxctl.store import manifest
from sandboxctl.store.errors import ImageError
from sandboxctl.store.manifest import Index
from sandboxctl.store.reference import local
from sandboxctl.store.store import Store
from sandboxctl.store.stream import CHUNK


def load(store: Store, path: str) -> list[Added]:
    """Add what the file or folder holds and name it. Raises ImageError."""
    with store.adding():
        if os.path.isdir(path):
            found = _from_layout(store, layout.Folder(path))
        else:
            with TarFile(store.place.path("tmp"), path) as archive:
                if "manifest.json" in archive.names():
                    found = docker_archive.add(store, archive)
                elif "index.json" in archive.names():
                    found = _from_layout(store, layout.InArchive(archive))
                else:
                    hint = "for a root file system use import or tar:FILE"
                    raise ImageError(f"{path!r} is neither docker's nor an OCI archive of images; {hint}")
        return [named(store, added) for added in found]


def load_stream(store: Store, source: BinaryIO) -> list[Added]:
    """``load`` from a pipe. Raises ImageError."""
    store.place.prepare()
    with store.adding(), tempfile.NamedTemporaryFile(dir=store.place.path("tmp")) as file:
        while data := source.read(CHUNK):
            file.write(data)
        file.flush()
        return load(store, file.name)


def _from_layout(store: Store, source: layout.Layout) -> list[Added]:
    index = manifest.decode(source.index(), Index, "index.json")
    return [layout.add_descriptor(store, source, entry) for entry in index.manifests]


def named(store: Store, added: Added) -> Added:
    """Give an image the names that its source has for it."""
    names = []
    for text in added.names:
        try:
            names.append(str(local(text)))
        except ImageError:
            continue  # a layout may call an image anything; it stays without a name then
    for name in names:
        store.name(name, added.image, added.manifest)
    return Added(added.image, added.manifest, tuple(names))
