"""Pushes an image: the blobs that the registry does not have yet, then the manifest."""

from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from sandboxctl.images.remote.client import RegistryClient, RegistryError
from sandboxctl.images.remote.progress import Quiet
from sandboxctl.images.remote.pull import PullOptions, access
from sandboxctl.store import manifest
from sandboxctl.store.manifest import CONFIG_MAX, MANIFEST_MAX, OCI_LAYER, OCI_MANIFEST, Descriptor, Manifest
from sandboxctl.store.reference import Reference
from sandboxctl.store.store import Store
from sandboxctl.store.stream import gzipped

ATTEMPTS: Final = 3


def push(store: Store, digest: str, to: Reference, options: PullOptions) -> str:
    """Push the image of the manifest ``digest``; returns the digest that it has there. Raises ImageError."""
    client = RegistryClient(to, access(to, options), "pull,push")
    with store.adding(), options.progress as progress:
        digest = _with_packed_layers(store, digest)
        raw = store.read_blob(digest, MANIFEST_MAX)
        found = manifest.decode(raw, Manifest, "the manifest")
        for blob in {blob.digest: blob for blob in (*found.layers, found.config)}.values():
            _push_blob(store, client, blob, progress)
        headers = {"Content-Type": found.media_type or OCI_MANIFEST}
        client.request("PUT", client.url("manifests", to.target), headers, raw, good=(200, 201, 202)).drain_conn()
    return digest


def _with_packed_layers(store: Store, digest: str) -> str:
    """The digest of the same image with its plain layers gzipped, as they come from docker's archives."""
    found = store.manifest(digest)
    if all(layer.media_type != OCI_LAYER for layer in found.layers):
        return digest
    layers = []
    for layer in found.layers:
        if layer.media_type == OCI_LAYER:
            with open(store.place.blob(layer.digest), "rb") as plain, gzipped(plain, store.place.path("tmp")) as packed:
                packed_digest, size = store.put_blob(packed)
            layers.append(Descriptor(f"{OCI_LAYER}+gzip", packed_digest, size))
        else:
            layers.append(layer)
    config = store.read_blob(found.config.digest, CONFIG_MAX)
    return store.put_manifest(config, layers)


def _push_blob(store: Store, client: RegistryClient, blob: Descriptor, progress: Quiet) -> None:
    name = blob.digest.removeprefix("sha256:")[:12]
    report = progress.add(name, blob.size)
    head = client.request("HEAD", client.url("blobs", blob.digest), good=(200, 404))
    head.drain_conn()
    if head.status != 200:
        for attempt in range(ATTEMPTS):
            try:
                _upload(store, client, blob, report)
                break
            except RegistryError as error:
                if not error.is_passing or attempt == ATTEMPTS - 1:
                    raise
    report(blob.size)
    progress.say(name, "done")


def _upload(store: Store, client: RegistryClient, blob: Descriptor, report: Any) -> None:
    started = client.request("POST", client.url("blobs", "uploads", ""), {"Content-Length": "0"}, good=(202,))
    started.drain_conn()
    location = urljoin(client.url("blobs", "uploads", ""), started.headers.get("Location", ""))
    url = f"{location}{'&' if urlsplit(location).query else '?'}digest={blob.digest}"
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
    with open(store.place.blob(blob.digest), "rb") as file:
        client.request("PUT", url, headers, _Reported(file, report), good=(201, 204)).drain_conn()


class _Reported:
    """A file that tells how far it has been read."""

    def __init__(self, file: Any, report: Any) -> None:
        self._file = file
        self._report = report

    def read(self, size: int = -1) -> bytes:
        """Some bytes."""
        data: bytes = self._file.read(size)
        self._report(self._file.tell())
        return data

    def seek(self, offset: int) -> None:
        """Begin again."""
        self._file.seek(offset)

    def tell(self) -> int:
        """Where we are."""
        return int(self._file.tell())
