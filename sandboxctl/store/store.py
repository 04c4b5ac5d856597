"""The store: blobs, layers and images by digest. What is added is complete or not there (``place`` tells how)."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence

from sandboxctl.images.image import RunConfig
from sandboxctl.store import entry, index_file, layer, manifest, names, record
from sandboxctl.store.errors import ImageError
from sandboxctl.store.manifest import CONFIG_MAX, LAYERS_MAX, MANIFEST_MAX, Config, Descriptor, Manifest
from sandboxctl.store.place import Place, hex_of, move_in
from sandboxctl.store.record import ImageRecord
from sandboxctl.store.stream import BLOB_MAX, CHUNK, HashingReader, Readable
from sandboxctl.store.tree import Tree


class Store:
    """Everything here but reading is done within ``adding()``."""

    def __init__(self, place: Place | None = None) -> None:
        self.place = place if place is not None else Place()

    @contextlib.contextmanager
    def adding(self) -> Iterator[None]:
        """While things are added. ``OSError``s of the disk become ImageError."""
        with self.place.adding():
            try:
                yield
            except OSError as error:
                raise ImageError(f"image store {self.place.root!r}: {error.strerror or error}") from None

    # --- blobs ---------------------------------------------------------------------------------------------------------------

    def has_blob(self, digest: str) -> bool:
        """Whether the blob is there."""
        return os.path.exists(self.place.blob(digest))

    def read_blob(self, digest: str, limit: int) -> bytes:
        """A small blob. Raises ImageError."""
        try:
            with open(self.place.blob(digest), "rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise ImageError(f"blob {digest} is not in the store: {error.strerror}; pull or load the image again") from None
        if len(data) > limit:
            raise ImageError(f"blob {digest} is larger than {limit} bytes: refused")
        return data

    def put_blob(self, source: Readable, digest: str = "", size: int = -1) -> tuple[str, int]:
        """Store all that ``source`` has; returns digest and size. Raises ImageError if they are not those given."""
        reader = HashingReader(source, size if size >= 0 else BLOB_MAX, f"blob {digest}")
        fd, name = tempfile.mkstemp(dir=self.place.path("tmp"))
        try:
            with os.fdopen(fd, "wb", buffering=0) as file:
                while data := reader.read(CHUNK):
                    file.write(data)
            self.check_digest(reader.digest, reader.count, digest, size)
            os.chmod(name, 0o644)
            os.rename(name, self.place.blob(reader.digest))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        return reader.digest, reader.count

    def put_bytes(self, data: bytes) -> str:
        """Store a small blob; returns its digest."""
        digest = _sha256(data)
        if not self.has_blob(digest):
            self.place.write(self.place.blob(digest), data)
        return digest

    @staticmethod
    def check_digest(found: str, count: int, digest: str, size: int) -> None:
        """Raises ImageError unless the content is what was promised."""
        if digest and found != digest:
            raise ImageError(f"wrong content: the digest is {found}, not {digest}; somebody damaged or changed the image")
        if size >= 0 and count != size:
            raise ImageError(f"wrong content: {digest} has {count} bytes, not {size}")

    # --- layers --------------------------------------------------------------------------------------------------------------

    def has_layer(self, diff_id: str) -> bool:
        """Whether the layer has been applied."""
        return os.path.isdir(self.place.layer(diff_id))

    def apply_layer(self, source: Readable, diff_id: str = "", check: Callable[[], None] = lambda: None) -> str:
        """Apply a layer's archive; returns the digest of the plain archive. Raises ImageError if it is not ``diff_id``."""
        folder = self.place.new_folder()
        try:
            found, _ = layer.apply(source, folder, check)
            if diff_id and found != diff_id:
                raise ImageError(f"wrong content: a layer's plain digest is {found}, not {diff_id} as the image says")
            move_in(folder, self.place.layer(found))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return found

    def layer_entries(self, diff_id: str) -> entry.LayerEntries:
        """What an applied layer holds. Raises ImageError."""
        try:
            with open(os.path.join(self.place.layer(diff_id), layer.ENTRIES_NAME), "rb") as file:
                return entry.decode(file.read())
        except (OSError, ValueError) as error:
            raise ImageError(f"layer {diff_id} of the store is damaged: {error}; remove the image and pull it again") from None

    # --- images --------------------------------------------------------------------------------------------------------------

    def add_image(self, manifest_digest: str) -> ImageRecord:
        """Make the image of a manifest whose blobs are all here; layers that are not applied yet are. Raises ImageError."""
        wanted = manifest.decode(self.read_blob(manifest_digest, MANIFEST_MAX), Manifest, "the manifest")
        known = record.read(self.place, wanted.config.digest)
        if known is not None:
            return known
        config = self.config(wanted.config.digest)
        diff_ids = config.rootfs.diff_ids
        if len(diff_ids) != len(wanted.layers) or len(diff_ids) > LAYERS_MAX:
            raise ImageError(f"the image's configuration names {len(diff_ids)} layers, its manifest {len(wanted.layers)}")
        for descriptor, diff_id in zip(wanted.layers, diff_ids, strict=True):
            hex_of(diff_id)
            if not self.has_layer(diff_id):
                with open(self.place.blob(descriptor.digest), "rb") as file:
                    self.apply_layer(file, diff_id)
        return self._put_image(wanted.config.digest, manifest_digest, config)

    def _put_image(self, image_id: str, manifest_digest: str, config: Config) -> ImageRecord:
        tree = Tree()
        size = 0
        for diff_id in config.rootfs.diff_ids:
            layer_entries = self.layer_entries(diff_id)
            size += layer_entries.size
            tree.add_layer(layer_entries.entries)
        made = ImageRecord(
            image_id, manifest_digest, tuple(config.rootfs.diff_ids), config.created or "", config.architecture, config.os, size,
            run_config(config),
        )  # fmt: skip
        folder = self.place.new_folder()
        self.place.write(os.path.join(folder, "index"), index_file.encode(tree, len(config.rootfs.diff_ids)))
        self.place.write(os.path.join(folder, "image.json"), record.encode(made))
        os.chmod(folder, 0o755)  # noqa: S103 - as the folders of layers
        self._put_aside(image_id)
        move_in(folder, self.place.image(image_id))
        return made

    def _put_aside(self, image_id: str) -> None:
        """An image that an older version of ours made, or that is damaged, makes room; a sandbox that runs on it goes on."""
        folder = self.place.image(image_id)
        if os.path.isdir(folder) and record.read(self.place, image_id) is None:
            with contextlib.suppress(FileNotFoundError):
                os.rename(folder, os.path.join(self.place.new_folder(), "old"))

    def config(self, digest: str) -> Config:
        """An image's configuration. Raises ImageError."""
        return manifest.decode(self.read_blob(digest, CONFIG_MAX), Config, "the image's configuration")

    def manifest(self, digest: str) -> Manifest:
        """A manifest. Raises ImageError."""
        return manifest.decode(self.read_blob(digest, MANIFEST_MAX), Manifest, "the manifest")

    def put_manifest(self, config: bytes, layers: Sequence[Descriptor]) -> str:
        """Store a configuration and an OCI manifest that names it and ``layers``; returns the manifest's digest."""
        about = Descriptor(manifest.OCI_CONFIG, self.put_bytes(config), len(config))
        return self.put_bytes(manifest.encode(Manifest(2, about, list(layers), manifest.OCI_MANIFEST)))

    def name(self, text: str, image: ImageRecord, manifest_digest: str) -> None:
        """Give an image a name; another image loses it."""
        names.change(self.place, {text: names.Target(image.id, manifest_digest)})


def run_config(config: Config) -> RunConfig:
    """The part of a configuration that ``run`` honours. Raises ImageError for NUL characters, which no call could carry."""
    own = config.config or manifest.Settings()
    made = RunConfig(
        entrypoint=tuple(own.entrypoint or ()),
        cmd=tuple(own.cmd or ()),
        env=tuple(own.env or ()),
        working_dir=own.working_dir or "",
        user=own.user or "",
        stop_signal=own.stop_signal or "",
        volumes=tuple(own.volumes or ()),
        exposed_ports=tuple(own.exposed_ports or ()),
        labels=own.labels or {},
    )
    if any("\0" in word for word in (*made.entrypoint, *made.cmd, *made.env, made.working_dir, made.user)):
        raise ImageError("the image's configuration contains a NUL character: refused")
    return made


def _sha256(data: bytes) -> str:
    import hashlib

    return f"sha256:{hashlib.sha256(data).hexdigest()}"
