"""``sandboxctl rmi``."""

import click

from sandboxctl.cli.main import complain
from sandboxctl.images.remove import EXIT_NONE, ImageUsed, remove
from sandboxctl.store import record
from sandboxctl.store.errors import ImageError
from sandboxctl.store.store import Store


@click.command("rmi")
@click.argument("images", nargs=-1, metavar="IMAGE...")
@click.option("-f", "--force", is_flag=True, help="An id may have several names: remove them all.")
@click.option("-a", "--all", "everything", is_flag=True, help="All images.")
@click.option("-i", "--ignore", is_flag=True, help="No error for an image that is not there.")
def command(images: tuple[str, ...], force: bool, everything: bool, ignore: bool) -> int:
    """Remove names of images, and the images with their last name.

    Exit status: 1 if an image is not there, 2 if one is used by a running sandbox.

    \b
    Example:
      sandboxctl rmi localhost/app:old
    """
    store = Store()
    wanted = [*images, *(record.all_ids(store.place) if everything else ())]
    if not wanted and not everything:
        raise click.UsageError("no image given", click.get_current_context())
    status = 0
    for name in wanted:
        try:
            for line in remove(store, name, force=force or everything):
                click.echo(line)
        except ImageUsed as error:
            status = complain(str(error), error.exit_code)
        except ImageError as error:
            if not (ignore and str(error).startswith("no image")):
                status = complain(str(error), EXIT_NONE)
    return status
