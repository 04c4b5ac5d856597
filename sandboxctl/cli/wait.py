"""``sandboxctl wait``."""

import click

from sandboxctl.cli.detached import states
from sandboxctl.state import ending


@click.command("wait")
@click.argument("names", nargs=-1, required=True, metavar="SANDBOX...")
def command(names: tuple[str, ...]) -> None:
    """Wait until sandboxes have ended and print their exit statuses."""
    known = states()
    for name in names:
        click.echo(ending.wait(known, known.find(name)))
