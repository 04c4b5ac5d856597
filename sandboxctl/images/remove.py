"""Takes names away from images and removes images that have none left."""

from collections.abc import Iterator

from sandboxctl.images.describe import names_of, need
from sandboxctl.state import place
from sandboxctl.state.folder import States
from sandboxctl.store import collect, names, record
from sandboxctl.store.errors import ImageError
from sandboxctl.store.place import hex_of
from sandboxctl.store.store import Store

EXIT_NONE, EXIT_USED = 1, 2


class ImageUsed(ImageError):
    """A sandbox uses the image: one that runs, or ``user``, which may be started again."""

    def __init__(self, name: str, user: str = "") -> None:
        hint = f"the sandbox {user}; remove that first, or use --force" if user else "a running sandbox; stop that first"
        super().__init__(f"image {name} is used by {hint}")
        self.exit_code = EXIT_USED


def remove(store: Store, text: str, *, force: bool = False) -> Iterator[str]:
    """Remove a name, and the image with its last one; yields what was done. Raises ImageError, ImageUsed."""
    if (broken := _broken(store, text)) is not None:
        names.change(store.place, {}, [broken])
        yield f"Untagged: {broken}"
        return
    name, image, _ = need(store.place, text)
    own = names_of(store.place, image.id)
    if not name and len(own) > 1 and not force:
        raise ImageError(f"image {text} has several names: {', '.join(own)}; name one, or use --force to remove them all")
    gone = own if not name or len(own) == 1 else [name]
    is_last = len(gone) == len(own)
    if is_last and not force and (user := _user(image.id)):
        raise ImageUsed(text, user)
    with store.place.removing() as may_remove, collect.unused(store, image.id) as is_unused:
        if is_last and not is_unused:
            raise ImageUsed(text)
        names.change(store.place, {}, gone)
        for each in gone:
            yield f"Untagged: {each}"
        if not is_last:
            return
        if not may_remove:
            raise ImageError("the image has lost its names; another command is adding images: remove the rest later with prune")
        collect.drop_image(store, image.id)
        collect.collect(store)
        yield f"Deleted: {hex_of(image.id)}"


def _user(image_id: str) -> str:
    """The name of a sandbox that would be started from the image, running or not; empty if there is none."""
    states = States(place.prepare(place.default_root()))
    return next((record.name for record in states.all() if record.config.get("image") == image_id), "")


def _broken(store: Store, text: str) -> str | None:
    """The name, if it stands for an image that cannot be used; its files go with the next ``prune``."""
    try:
        found = names.find(names.read(store.place), text)
    except ImageError:
        return None
    return found[0] if found is not None and record.read(store.place, found[1].image) is None else None


def prune(store: Store, *, everything: bool) -> tuple[list[str], int]:
    """Remove images without a name, or all that no sandbox uses; returns their ids and the bytes freed. Raises ImageError."""
    gone = []
    store.place.prepare()
    with store.place.removing() as may_remove:
        if not may_remove:
            raise ImageError("another command is adding images just now; try again when it is done")
        for image_id in record.all_ids(store.place):
            own = names_of(store.place, image_id)
            if (own and not everything) or _user(image_id):
                continue
            with collect.unused(store, image_id) as is_unused:
                if is_unused:
                    names.change(store.place, {}, own)
                    collect.drop_image(store, image_id)
                    gone.append(hex_of(image_id))
        return gone, collect.collect(store, partial=True)
