"""``sandboxctl stop``."""

import click

from sandboxctl.cli.detached import states
from sandboxctl.state.ending import stop


@click.command("stop")
@click.argument("names", nargs=-1, required=True, metavar="SANDBOX...")
@click.option("-t", "--time", "seconds", type=click.IntRange(0), default=10, show_default=True, help="Seconds until SIGKILL.")
def command(names: tuple[str, ...], seconds: int) -> None:
    """End running sandboxes: their stop signal first, SIGKILL later. What they changed is gone then."""
    known = states()
    for name in names:
        stop(known, known.find(name), seconds)
        click.echo(name)
