"""Makes an image of what a sandbox has changed: the layers of its image, and one more."""

import tempfile
from dataclasses import dataclass

from sandboxctl.errors import SandboxError
from sandboxctl.images import changes
from sandboxctl.images.describe import need
from sandboxctl.images.running import Running
from sandboxctl.images.transport.rootfs import now
from sandboxctl.images.transport.save import as_oci
from sandboxctl.store import manifest
from sandboxctl.store.errors import ImageError
from sandboxctl.store.manifest import Descriptor, History, RootFs, Settings
from sandboxctl.store.record import ImageRecord
from sandboxctl.store.reference import local
from sandboxctl.store.store import Store
from sandboxctl.store.stream import gzipped


@dataclass(frozen=True, slots=True)
class CommitOptions:
    """``instructions`` are those of ``--change``."""

    message: str = ""
    author: str = ""
    instructions: tuple[str, ...] = ()


def commit(running: Running, name: str | None, options: CommitOptions, store: Store | None = None) -> tuple[ImageRecord, int]:
    """Make the image and name it; returns it and how many objects no layer can hold (sockets). Raises SandboxError."""
    reference = local(name) if name else None
    image = running.image
    settings = Settings()
    changes.apply(settings, options.instructions)  # before anything is done
    store = store if store is not None else Store()
    with store.adding():
        layer, diff_id, left_out = _layer(running, store)
        base = need(store.place, image.id)
        _, old = as_oci(store, base[2])
        config = store.config(image.id)
        config.config = config.config or Settings()
        changes.apply(config.config, options.instructions)
        config.created, config.author = now(), options.author or config.author
        config.rootfs = RootFs("layers", [*config.rootfs.diff_ids, diff_id])
        step = History(config.created, "sandboxctl commit", options.author or None, options.message or None)
        config.history = [*(config.history or [History() for _ in old.layers]), step]
        found = store.put_manifest(manifest.encode(config), [*old.layers, layer])
        made = store.add_image(found)
        if reference is not None:
            store.name(str(reference), made, found)
    return made, left_out


def _layer(running: Running, store: Store) -> tuple[Descriptor, str, int]:
    """(the new layer, its plain digest, what was left out)."""
    folder = store.place.path("tmp")
    with tempfile.TemporaryFile(dir=folder) as plain:
        left_out = running.export(plain.fileno())
        plain.seek(0)
        try:
            diff_id = store.apply_layer(plain)
        except ImageError as error:
            raise SandboxError(f"what the sandbox has changed is no layer: {error}") from None
        plain.seek(0)
        with gzipped(plain, folder) as packed:
            digest, size = store.put_blob(packed)
    return Descriptor(f"{manifest.OCI_LAYER}+gzip", digest, size), diff_id, left_out
