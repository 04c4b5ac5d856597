"""``sandboxctl pull``."""

import click

from sandboxctl.cli.registry_options import registry_options
from sandboxctl.images.platform import parse
from sandboxctl.images.remote.progress import choose
from sandboxctl.images.remote.pull import PullOptions, pull


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
    platform: str | None,
    quiet: bool,
) -> None:
    """Fetch images from registries into the store.

    Layers come in parallel, are checked, and an attempt that was cut off is taken up where it ended.

    \b
    Examples:
      sandboxctl pull docker.io/library/debian:12
      sandboxctl pull --tls-verify=false localhost:5000/team/app
    """
    wanted = parse(platform) if platform is not None else None
    for name in names:
        options = PullOptions(tls_verify, creds, authfile, ca_file, wanted, choose(quiet=quiet))
        click.echo(pull(name, options).image.id)
