"""A root file system in a tar archive: ``tar:FILE`` and ``import``. It becomes an image of one layer."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandboxctl.images.platform import host_platform
from sandboxctl.images.transport.source import Added
from sandboxctl.store import manifest
from sandboxctl.store.manifest import Config, Descriptor, History, RootFs, Settings
from sandboxctl.store.store import Store
from sandboxctl.store.stream import Readable


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What ``import`` adds to the plain files. ``created`` is RFC 3339; empty is now."""

    settings: Settings = field(default_factory=Settings)
    message: str = ""
    created: str = ""


def add_file(store: Store, path: str) -> Added:
    """Add the archive ``path`` without any settings; the same archive always gives the same image. Raises ImageError."""
    with open(path, "rb") as file:
        return add(store, file, ImportOptions(created="1970-01-01T00:00:00Z"))


def add(store: Store, source: Readable, options: ImportOptions) -> Added:
    """Add an image of one layer. Raises ImageError."""
    digest, size = store.put_blob(source)
    with open(store.place.blob(digest), "rb") as file:
        head = file.read(4)
    if head[:2] == b"\x1f\x8b":
        kind = "+gzip"
    elif head == b"\x28\xb5\x2f\xfd":
        kind = "+zstd"
    else:
        kind = ""
        if head[:3] in {b"BZh", b"\xfd7z"}:  # no layer may be so compressed: it is stored plain
            digest, size = _plain(store, digest)
    with open(store.place.blob(digest), "rb") as file:
        diff_id = store.apply_layer(file)
    platform = host_platform()
    created = options.created or now()
    config = Config(
        platform.architecture,
        platform.os,
        created,
        config=options.settings,
        rootfs=RootFs(diff_ids=[diff_id]),
        history=[History(created, created_by="sandboxctl import", comment=options.message or None)],
    )
    found = store.put_manifest(manifest.encode(config), [Descriptor(manifest.OCI_LAYER + kind, digest, size)])
    return Added(store.add_image(found), found)


def _plain(store: Store, digest: str) -> tuple[str, int]:
    from sandboxctl.store.stream import decompressed

    with open(store.place.blob(digest), "rb") as file:
        return store.put_blob(decompressed(file))


def now() -> str:
    """The time in RFC 3339."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
