"""``sandboxctl prune``."""

import sys

import click

from sandboxctl.cli import human
from sandboxctl.errors import OptionError
from sandboxctl.images.remove import prune
from sandboxctl.store.store import Store


@click.command("prune")
@click.option("-a", "--all", "everything", is_flag=True, help="Also images with names, if no sandbox uses them.")
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
def command(everything: bool, force: bool) -> None:
    """Remove images without a name, and what killed commands have left behind.

    \b
    Example:
      sandboxctl prune --force
    """
    if not force:
        if not sys.stdin.isatty():
            raise OptionError("prune removes images: add --force when nobody can be asked")
        which = "all images that no sandbox uses" if everything else "all images without a name"
        click.confirm(f"Remove {which}?", abort=True)
    gone, freed = prune(Store(), everything=everything)
    for image_id in gone:
        click.echo(image_id)
    click.echo(f"Freed: {human.size(freed)}", err=True)
