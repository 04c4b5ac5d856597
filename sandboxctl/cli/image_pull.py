"""``sandboxctl pull``."""

import click

from sandboxctl.cli.registry_options import registry_options
from sandboxctl.images.platform import parse
from sandboxctl.images.registry import TRANSPORTS
from sandboxctl.images.remote.progress import choose
from sandboxctl.images.remote.pull import PullOptions, pull
from sandboxctl.images.transport import add
from sandboxctl.images.transport.load import named
from sandboxctl.store.place import Place
from sandboxctl.store.store import Store


@click.command("pull")
@click.argument("names", nargs=-1, required=True, metavar="[docker://]HOST/NAME[:TAG|@DIGEST]...")
@registry_options
@click.option("--platform", metavar="OS/ARCH", help="Which of several images.  [default: this machine's]")
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the id.")
def command(
    names: tuple[str, ...],
    tls_verify: bool,
    creds: str | None,
    authfile: str | None,
    ca_file: str | None,
    cert_dir: str | None,
    platform: str | None,
    quiet: bool,
) -> None:
    """Fetch images from registries, or from files as run takes them, into the store.

    Layers come in parallel, are checked, and an attempt that was cut off is taken up where it ended.

    \b
    Examples:
      sandboxctl pull registry.example/team/app:1.0
      sandboxctl pull --tls-verify=false localhost:5000/team/app
      sandboxctl pull oci:./layout:1.0
    """
    wanted = parse(platform) if platform is not None else None
    for name in names:
        kind, colon, rest = name.partition(":")
        if colon and kind in TRANSPORTS and kind != "docker":
            click.echo(_from_file(kind, rest))
            continue
        options = PullOptions(tls_verify, creds, authfile, ca_file, wanted, choose(quiet=quiet), cert_dir)
        click.echo(pull(name, options).image.id)


def _from_file(kind: str, text: str) -> str:
    """Add the image of a file or folder under the names that it has there; returns its id."""
    place = Place()
    return named(Store(place), add(kind, text, place)).image.id
