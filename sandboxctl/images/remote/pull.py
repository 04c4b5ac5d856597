"""Pulls an image: manifest, configuration, then all layers at once, each applied as soon as it is complete."""

import hashlib
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

from sandboxctl.images.platform import host_platform
from sandboxctl.images.remote import credentials
from sandboxctl.images.remote.client import Access, RegistryClient, RegistryError, read_all
from sandboxctl.images.remote.download import Cancelled, Download
from sandboxctl.images.remote.progress import Quiet
from sandboxctl.images.transport.source import Added
from sandboxctl.store import manifest, record
from sandboxctl.store.errors import ImageError
from sandboxctl.store.manifest import ACCEPTED, CONFIG_MAX, LAYERS_MAX, MANIFEST_MAX, Descriptor, Index, Manifest, Platform
from sandboxctl.store.reference import Reference, parse
from sandboxctl.store.store import Store

PARALLEL: Final = 4
_DEPTH_MAX: Final = 4
_MANIFEST_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class PullOptions:
    """``creds`` is USER:PASSWORD; None: the files of podman and docker are searched."""

    tls_verify: bool = True
    creds: str | None = None
    authfile: str | None = None
    ca_file: str | None = None
    platform: Platform | None = None
    progress: Quiet = field(default_factory=Quiet)
    cert_dir: str | None = None


def access(reference: Reference, options: PullOptions) -> Access:
    """How to reach the registry. Raises OptionError, ImageError."""
    if options.creds is not None:
        login: credentials.Credentials | None = credentials.parse(options.creds)
    else:
        login = credentials.find(reference.host, reference.name, options.authfile)
    return Access(options.tls_verify, login, options.ca_file, options.cert_dir)


def pull(name: str, options: PullOptions, store: Store | None = None) -> Added:
    """Fetch ``HOST/NAME[:TAG|@DIGEST]`` into the store and give it its name. Raises ImageError."""
    reference = parse(name.removeprefix("docker://"))
    client = RegistryClient(reference, access(reference, options))
    store = store if store is not None else Store()
    with store.adding():
        raw, digest = fetch_manifest(client, reference.target)
        for _ in range(_DEPTH_MAX):
            if not manifest.is_index(raw):
                break
            chosen = manifest.choose(manifest.decode(raw, Index, "the index"), options.platform or host_platform())
            raw, digest = fetch_manifest(client, chosen.digest)
        else:
            raise ImageError(f"{reference}: indexes are nested too deep: refused")
        found = manifest.decode(raw, Manifest, "the manifest")
        _fetch_blobs(store, client, found, options.progress)
        store.put_bytes(raw)
        image = store.add_image(digest)
        full = str(Reference(reference.host, reference.name, reference.tag or f"sha256-{reference.digest[7:19]}"))
        store.name(full, image, digest)
    return Added(image, digest, (full,))


def fetch_manifest(client: RegistryClient, target: str) -> tuple[bytes, str]:
    """(manifest, its digest) for a tag or a digest, checked against what the registry says. Raises ImageError."""
    url = client.url("manifests", target)
    for attempt in range(_MANIFEST_ATTEMPTS):
        try:
            response = client.request("GET", url, {"Accept": ", ".join(ACCEPTED), "Accept-Encoding": "identity"})
            raw = read_all(response, MANIFEST_MAX, "the manifest")
            break
        except RegistryError as error:
            if not error.is_passing or attempt == _MANIFEST_ATTEMPTS - 1:
                raise
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    promised = target if target.startswith("sha256:") else response.headers.get("Docker-Content-Digest", digest)
    if promised.startswith("sha256:"):
        Store.check_digest(digest, len(raw), promised, -1)
    return raw, digest


def _fetch_blobs(store: Store, client: RegistryClient, found: Manifest, progress: Quiet) -> None:
    if len(found.layers) > LAYERS_MAX:
        raise ImageError(f"the image has {len(found.layers)} layers: refused")
    if found.config.size > CONFIG_MAX:
        raise ImageError(f"the image's configuration claims {found.config.size} bytes: refused")
    cancel = threading.Event()
    with progress:
        Download(store, client, found.config, lambda done: None, cancel).run()
        is_known = record.read(store.place, found.config.digest) is not None
        if is_known and all(store.has_blob(layer.digest) for layer in found.layers):
            return
        diff_ids = store.config(found.config.digest).rootfs.diff_ids
        if len(diff_ids) != len(found.layers):
            raise ImageError(f"the image's configuration names {len(diff_ids)} layers, its manifest {len(found.layers)}")
        jobs = [_Layer(store, client, layer, diff_id, progress, cancel) for layer, diff_id in _once(found.layers, diff_ids)]
        pool = ThreadPoolExecutor(PARALLEL)
        futures = [pool.submit(job.run) for job in jobs]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            if any(future.done() and future.exception() for future in futures):
                cancel.set()
        except BaseException:  # Ctrl-C: nobody waits for a registry that says nothing
            cancel.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown(wait=True, cancel_futures=cancel.is_set())
    errors = [error for future in futures if not future.cancelled() and (error := future.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, Cancelled)):
        raise error


def _once(layers: list[Descriptor], diff_ids: list[str]) -> list[tuple[Descriptor, str]]:
    """Each layer once, although an image may have it several times."""
    return list({layer.digest: (layer, diff_id) for layer, diff_id in zip(layers, diff_ids, strict=True)}.values())


class _Layer:
    """Fetches and applies one layer."""

    def __init__(
        self, store: Store, client: RegistryClient, blob: Descriptor, diff_id: str, progress: Quiet, cancel: threading.Event
    ) -> None:
        if blob.urls or "foreign" in blob.media_type or "nondistributable" in blob.media_type:
            raise ImageError(f"layer {blob.digest} may not be distributed by registries (a Windows image?): refused")
        self._store = store
        self._blob = blob
        self._diff_id = diff_id
        self._progress = progress
        self._cancel = cancel
        self._name = blob.digest.removeprefix("sha256:")[:12]
        self._download = Download(store, client, blob, progress.add(self._name, blob.size), cancel)

    def run(self) -> None:
        """Raises ImageError."""
        self._download.run()
        if not self._store.has_layer(self._diff_id):
            self._progress.say(self._name, "applying")
            with open(self._store.place.blob(self._blob.digest), "rb") as file:
                self._store.apply_layer(file, self._diff_id, self._check)
        self._progress.say(self._name, "done")

    def _check(self) -> None:
        if self._cancel.is_set():
            raise Cancelled
