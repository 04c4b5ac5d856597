"""names.json: which names there are, and the image and manifest each stands for. Light: ``run`` reads it at every start."""

import json
from dataclasses import dataclass

from sandboxctl.store.errors import ImageError
from sandboxctl.store.place import Place
from sandboxctl.store.reference import LOCAL, parse

VERSION = 1


@dataclass(frozen=True, slots=True)
class Target:
    """``image`` is the id, ``manifest`` the digest of the manifest that the name came with."""

    image: str
    manifest: str


def read(place: Place) -> dict[str, Target]:
    """All names. Raises ImageError if the file is damaged or of a newer version."""
    try:
        with open(place.path("names.json"), "rb") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot read {place.path('names.json')!r}: {error}") from None
    if found.get("version") != VERSION:
        raise ImageError(f"the image store {place.root!r} is of another version; update sandboxctl or choose another store")
    return {name: Target(*pair) for name, pair in found["names"].items()}


def change(place: Place, added: "dict[str, Target]", removed: "list[str] | tuple[()]" = ()) -> None:
    """Add and remove names in one step."""
    with place.naming():
        names = read(place)
        for name in removed:
            names.pop(name, None)
        names |= added
        body = {"version": VERSION, "names": {name: [to.image, to.manifest] for name, to in sorted(names.items())}}
        place.write(place.path("names.json"), json.dumps(body, indent=1).encode())


def find(names: "dict[str, Target]", text: str) -> tuple[str, Target] | None:
    """The name that ``text`` means: itself with ``latest``, under localhost/, or the only one that ends so. Raises ImageError."""
    _, _, digest = text.partition("@")
    reference = parse(text, LOCAL)
    if digest:
        for name, target in names.items():
            if target.manifest == digest and name.startswith(f"{reference.repository}:"):
                return name, target
        return None
    for whole in (str(reference),):
        if whole in names:
            return whole, names[whole]
    if reference.host != LOCAL:
        return None
    ending = f"/{reference.name}:{reference.tag}"
    ends = [name for name in names if name.endswith(ending)]
    if len(ends) > 1:
        raise ImageError(f"{text!r} could be {' or '.join(sorted(ends))}; write the whole name")
    return (ends[0], names[ends[0]]) if ends else None
