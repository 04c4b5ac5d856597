"""``save``: images as docker's archive, an OCI archive or an OCI layout folder, for docker, podman and skopeo to read."""

import contextlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

from sandboxctl.store import manifest
from sandboxctl.store.errors import ImageError
from sandboxctl.store.manifest import OCI_LAYER, REF_NAME, Descriptor, Manifest
from sandboxctl.store.place import hex_of
from sandboxctl.store.record import ImageRecord
from sandboxctl.store.store import Store
from sandboxctl.store.stream import BLOB_MAX, CHUNK, HashingReader, Readable, decompressed

FORMATS: Final = ("docker-archive", "oci-archive", "oci-dir")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image to be saved, with the names that it shall have there."""

    image: ImageRecord
    manifest: str
    names: tuple[str, ...] = ()


def docker_archive(store: Store, wanted: Sequence[Wanted], out: IO[bytes]) -> None:
    """Write docker's archive: plain layers, configurations, manifest.json. Raises ImageError, OSError."""
    items = []
    written: set[str] = set()
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        for each in wanted:
            found = store.manifest(each.manifest)
            for descriptor, diff_id in zip(found.layers, each.image.layers, strict=True):
                if diff_id not in written:
                    written.add(diff_id)
                    _add_plain(store, tar, descriptor.digest, diff_id)
            config = f"{hex_of(found.config.digest)}.json"
            if config not in written:
                written.add(config)
                _add_bytes(tar, config, store.read_blob(found.config.digest, manifest.CONFIG_MAX))
            layers = [f"{hex_of(diff_id)}.tar" for diff_id in each.image.layers]
            items.append({"Config": config, "RepoTags": list(each.names), "Layers": layers})
        _add_bytes(tar, "manifest.json", json.dumps(items).encode())


def oci_archive(store: Store, wanted: Sequence[Wanted], out: IO[bytes]) -> None:
    """Write an OCI layout as an archive. Raises ImageError, OSError."""
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        for name, source in _layout(store, wanted):
            if isinstance(source, bytes):
                _add_bytes(tar, name, source)
            else:
                with open(store.place.blob(source.digest), "rb") as file:
                    info = tarfile.TarInfo(name)
                    info.size = source.size
                    tar.addfile(info, file)


def oci_dir(store: Store, wanted: Sequence[Wanted], path: str) -> None:
    """Write an OCI layout folder, which must not exist. Raises ImageError."""
    try:
        os.makedirs(os.path.join(path, "blobs", "sha256"))
        for name, source in _layout(store, wanted):
            with contextlib.ExitStack() as stack:
                opened: Readable
                if isinstance(source, bytes):
                    opened = io.BytesIO(source)
                else:
                    opened = stack.enter_context(open(store.place.blob(source.digest), "rb"))
                with open(os.path.join(path, name), "wb") as file:
                    while data := opened.read(CHUNK):
                        file.write(data)
    except OSError as error:
        raise ImageError(f"cannot write {path!r}: {error.strerror}") from None


def _layout(store: Store, wanted: Sequence[Wanted]) -> "Iterator[tuple[str, bytes | Descriptor]]":
    """(name, contents or blob of the store) of every file of a layout."""
    yield "oci-layout", b'{"imageLayoutVersion":"1.0.0"}'
    entries: list[Descriptor] = []
    written: set[str] = set()
    for each in wanted:
        raw, found = as_oci(store, each.manifest)
        digest = _digest(raw)
        for descriptor in (found.config, *found.layers):
            if descriptor.digest not in written:
                written.add(descriptor.digest)
                yield f"blobs/sha256/{hex_of(descriptor.digest)}", descriptor
        if digest not in written:
            written.add(digest)
            yield f"blobs/sha256/{hex_of(digest)}", raw
        for name in each.names or ("",):
            entries.append(Descriptor(manifest.OCI_MANIFEST, digest, len(raw), {REF_NAME: name} if name else None))
    yield "index.json", manifest.encode(manifest.Index(2, entries, manifest.OCI_INDEX))


def as_oci(store: Store, digest: str) -> tuple[bytes, Manifest]:
    """A manifest as it came if it is OCI's, else docker's with OCI's media types. Raises ImageError."""
    raw = store.read_blob(digest, manifest.MANIFEST_MAX)
    found = manifest.decode(raw, Manifest, "the manifest")
    if found.config.media_type == manifest.OCI_CONFIG:
        return raw, found
    layers = [
        Descriptor(f"{OCI_LAYER}{'+gzip' if layer.media_type.endswith('gzip') else ''}", layer.digest, layer.size)
        for layer in found.layers
    ]
    config = Descriptor(manifest.OCI_CONFIG, found.config.digest, found.config.size)
    made = Manifest(2, config, layers, manifest.OCI_MANIFEST)
    return manifest.encode(made), made


def _add_plain(store: Store, tar: tarfile.TarFile, digest: str, diff_id: str) -> None:
    with tempfile.TemporaryFile(dir=store.place.path("tmp")) as spool, open(store.place.blob(digest), "rb") as file:
        plain = HashingReader(decompressed(file), BLOB_MAX, "a layer")
        while data := plain.read(CHUNK):
            spool.write(data)
        store.check_digest(plain.digest, plain.count, diff_id, -1)
        spool.seek(0)
        info = tarfile.TarInfo(f"{hex_of(diff_id)}.tar")
        info.size = plain.count
        tar.addfile(info, spool)


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def _digest(data: bytes) -> str:
    import hashlib

    return f"sha256:{hashlib.sha256(data).hexdigest()}"
