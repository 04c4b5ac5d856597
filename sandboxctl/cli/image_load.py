"""``sandboxctl load``."""

import os
import sys

import click

from sandboxctl.errors import OptionError
from sandboxctl.images.transport.load import load, load_stream
from sandboxctl.store.store import Store


@click.command("load")
@click.option("-i", "--input", "path", metavar="FILE", help="An archive or an OCI layout folder.  [default: standard input]")
@click.option("-q", "--quiet", is_flag=True, help="Accepted for docker's sake: nothing but the names is printed.")
def command(path: str | None, quiet: bool) -> None:
    """Add the images of an archive that docker save, podman save or skopeo wrote.

    \b
    Examples:
      sandboxctl load -i app.tar
      docker save app | sandboxctl load
    """
    store = Store()
    if path is not None and path != "-":
        if not os.path.exists(path):
            raise OptionError(f"-i: there is no {path!r}")
        found = load(store, path)
    elif sys.stdin.isatty():
        raise OptionError("nothing to load: use -i FILE, or a pipe as standard input")
    else:
        found = load_stream(store, sys.stdin.buffer)
    for added in found:
        for name in added.names or (added.image.id,):
            click.echo(f"Loaded image: {name}")
