"""``sandboxctl push``."""

from typing import Any

import click

from sandboxctl.cli.registry_options import registry_options
from sandboxctl.images.describe import need
from sandboxctl.images.remote.progress import choose
from sandboxctl.images.remote.pull import PullOptions
from sandboxctl.images.remote.push import push
from sandboxctl.store.errors import ImageError
from sandboxctl.store.reference import LOCAL, parse
from sandboxctl.store.store import Store


@click.command("push")
@click.argument("image")
@click.argument("destination", required=False, metavar="[[docker://]HOST/NAME[:TAG]]")
@registry_options
@click.option("--digestfile", metavar="FILE", help="Write the digest of what was pushed.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(
    image: str,
    destination: str | None,
    digestfile: str | None,
    quiet: bool,
    **reach: Any,
) -> None:
    """Copy an image of the store to a registry, by its own name or another.

    \b
    Example:
      sandboxctl push localhost/app docker://localhost:5000/team/app:1.0
    """
    store = Store()
    name, _, digest = need(store.place, image)
    to = parse((destination or name).removeprefix("docker://"))
    if to.host == LOCAL:
        raise ImageError(f"{to} is a name of the store only; say where to: sandboxctl push {image} docker://HOST/NAME:TAG")
    pushed = push(store, digest, to, PullOptions(**reach, progress=choose(quiet=quiet)))
    if digestfile is not None:
        try:
            with open(digestfile, "w", encoding="ascii") as file:
                file.write(pushed)
        except OSError as error:
            raise ImageError(f"--digestfile: cannot write {digestfile!r}: {error.strerror}") from None
