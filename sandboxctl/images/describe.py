"""What ``images``, ``inspect`` and ``history`` tell about images, with podman's names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandboxctl.images.stored import find
from sandboxctl.store import manifest, names, record
from sandboxctl.store.errors import ImageError
from sandboxctl.store.manifest import History, Settings
from sandboxctl.store.place import Place, hex_of
from sandboxctl.store.record import ImageRecord
from sandboxctl.store.store import Store


@dataclass(frozen=True, slots=True)
class Named:
    """One line of ``images``: an image under one of its names, or without any."""

    image: ImageRecord
    repository: str
    tag: str
    manifest: str


def listed(place: Place) -> list[Named]:
    """All images, the newest first."""
    found = []
    known = names.read(place)
    by_image: dict[str, list[tuple[str, str]]] = {}
    for name, target in known.items():
        by_image.setdefault(target.image, []).append((name, target.manifest))
    for image_id in record.all_ids(place):
        image = record.read(place, image_id)
        if image is None:
            continue
        for name, digest in by_image.get(image_id, []):
            repository, _, tag = name.rpartition(":")
            found.append(Named(image, repository, tag, digest))
        if image_id not in by_image:
            found.append(Named(image, "<none>", "<none>", image.manifest))
    return sorted(found, key=lambda named: named.image.created, reverse=True)


def names_of(place: Place, image_id: str) -> list[str]:
    """All names of an image."""
    return [name for name, target in names.read(place).items() if target.image == image_id]


def need(place: Place, text: str) -> tuple[str, ImageRecord, str]:
    """(name, image, manifest digest). Raises ImageError if there is no such image."""
    found = find(place, text)
    if found is None:
        raise ImageError(f"no image {text!r} in the store; see: sandboxctl images")
    return found


def inspect(place: Place, text: str) -> dict[str, Any] | None:
    """What ``podman image inspect`` shows, None if there is no such image. Raises ImageError."""
    found = find(place, text)
    if found is None:
        return None
    _, image, digest = found
    store = Store(place)
    config = store.config(image.id)
    settings: Settings = config.config or Settings()
    own_names = names_of(place, image.id)
    repositories = sorted({name.rpartition(":")[0] for name in own_names})
    body = {
        "Id": hex_of(image.id),
        "Digest": digest,
        "RepoTags": own_names,
        "RepoDigests": [f"{name}@{digest}" for name in repositories],
        "Comment": (config.history[-1].comment or "") if config.history else "",
        "Created": config.created or "",
        "Author": config.author or "",
        "Config": {key: value for key, value in manifest.builtins(settings).items() if value is not None},
        "Architecture": config.architecture,
        "Os": config.os,
        "Size": image.size,
        "RootFS": {"Type": "layers", "Layers": list(image.layers)},
        "Labels": settings.labels,
        "User": settings.user or "",
        "History": [manifest.builtins(item) for item in config.history or ()],
        "NamesHistory": own_names,
    }
    if settings.healthcheck is not None:
        body["Healthcheck"] = settings.healthcheck
    return body


@dataclass(frozen=True, slots=True)
class Step:
    """One line of ``history``; ``size`` is what its layer added."""

    id: str
    entry: History
    size: int


def history(place: Place, text: str) -> Iterator[Step]:
    """How an image came to be, the last step first. Raises ImageError."""
    _, image, _ = need(place, text)
    store = Store(place)
    config = store.config(image.id)
    entries = config.history or [History() for _ in image.layers]
    layers = list(image.layers)
    steps = []
    for entry in entries:
        layer = layers.pop(0) if layers and not entry.empty_layer else ""
        steps.append((entry, layer))
    for number, (entry, layer) in enumerate(reversed(steps)):
        size = store.layer_entries(layer).size if layer else 0
        yield Step(hex_of(image.id) if not number else "<missing>", entry, size)
