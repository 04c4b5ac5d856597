"""``sandboxctl tag``."""

import click

from sandboxctl.images.describe import need
from sandboxctl.store import names
from sandboxctl.store.errors import ImageError
from sandboxctl.store.place import Place
from sandboxctl.store.reference import local


@click.command("tag")
@click.argument("image")
@click.argument("targets", nargs=-1, required=True, metavar="NAME...")
def command(image: str, targets: tuple[str, ...]) -> None:
    """Give an image further names; one without a host is put under localhost/.

    \b
    Example:
      sandboxctl tag localhost/app:latest localhost:5000/team/app:1.0
    """
    place = Place()
    wanted = [local(target) for target in targets]
    for reference in wanted:
        if reference.digest:
            raise ImageError(f"{reference} has a digest: a name for an image has a tag only")
    _, found, digest = need(place, image)
    names.change(place, {str(reference): names.Target(found.id, digest) for reference in wanted})
