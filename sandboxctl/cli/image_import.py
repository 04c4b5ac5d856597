"""``sandboxctl import``."""

import sys

import click

from sandboxctl.errors import OptionError
from sandboxctl.images import changes
from sandboxctl.images.transport import rootfs
from sandboxctl.store.manifest import Settings
from sandboxctl.store.reference import local
from sandboxctl.store.store import Store


@click.command("import")
@click.argument("path", metavar="FILE|-")
@click.argument("name", required=False)
@click.option("-c", "--change", "instructions", multiple=True, metavar="INSTRUCTION", help=f"{', '.join(changes.KNOWN)}.")
@click.option("-m", "--message", default="", help="A comment for the history.")
@click.option("-q", "--quiet", is_flag=True, help="Accepted for podman's sake: only the id is printed.")
def command(path: str, name: str | None, instructions: tuple[str, ...], message: str, quiet: bool) -> None:
    """Make an image of a root file system in a tar archive, compressed or not.

    \b
    Examples:
      sandboxctl import -c 'CMD ["/bin/sh"]' rootfs.tar.gz localhost/mine:1
      mmdebstrap bookworm - | sandboxctl import - localhost/debian
    """
    reference = local(name) if name is not None else None
    settings = Settings()
    changes.apply(settings, instructions)
    options = rootfs.ImportOptions(settings, message)
    store = Store()
    with store.adding():
        if path == "-":
            if sys.stdin.isatty():
                raise OptionError("nothing to import: standard input is a terminal")
            added = rootfs.add(store, sys.stdin.buffer, options)
        else:
            try:
                file = open(path, "rb")  # noqa: SIM115 - the with below closes it
            except OSError as error:
                raise OptionError(f"cannot read {path!r}: {error.strerror}") from None
            with file:
                added = rootfs.add(store, file, options)
        if reference is not None:
            store.name(str(reference), added.image, added.manifest)
    click.echo(added.image.id)
