"""``diff``: which paths a layer adds (A), changes (C) or removes (D)."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandboxctl.images.content import ImageContent
from sandboxctl.images.describe import need
from sandboxctl.images.running import Running
from sandboxctl.store.archive import Archive
from sandboxctl.store.entry import OPAQUE, WHITEOUT, Entry
from sandboxctl.store.layer import MEMBERS_MAX
from sandboxctl.store.place import Place
from sandboxctl.store.store import Store
from sandboxctl.store.tree import Tree


@dataclass(frozen=True, slots=True)
class Change:
    """``kind`` is A, C or D; ``path`` begins with a slash."""

    kind: str
    path: str


def of_image(place: Place, text: str) -> list[Change]:
    """What the top layer of an image changes. Raises ImageError."""
    _, image, _ = need(place, text)
    store = Store(place)
    if not image.layers:
        return []
    below = Tree()
    for diff_id in image.layers[:-1]:
        below.add_layer(store.layer_entries(diff_id).entries)
    return _changes(store.layer_entries(image.layers[-1]).entries, below.has)


def of_running(running: Running) -> list[Change]:
    """What a sandbox has changed in its image. Raises ImageError, SandboxError."""
    index = ImageContent(running.image).index
    with tempfile.TemporaryFile() as file:
        running.export(file.fileno())
        file.seek(0)
        entries = [entry for entry, _ in Archive(file, MEMBERS_MAX)]
    return _changes(entries, lambda path: bool(index.walk(path)))


def _changes(entries: "list[Entry]", is_below: "Callable[[bytes], bool]") -> list[Change]:
    return sorted(_each(entries, is_below), key=lambda change: change.path)


def _each(entries: "list[Entry]", is_below: "Callable[[bytes], bool]") -> Iterator[Change]:
    for entry in entries:
        head, slash, name = entry.path.rpartition(b"/")
        if name == OPAQUE or not entry.path:
            continue
        if name.startswith(WHITEOUT):
            yield Change("D", _shown(head + slash + name[len(WHITEOUT) :]))
        else:
            yield Change("C" if is_below(entry.path) else "A", _shown(entry.path))


def _shown(path: bytes) -> str:
    return "/" + path.decode("utf-8", "backslashreplace")
