"""``sandboxctl kill``."""

import click

from sandboxctl.cli.detached import states
from sandboxctl.options.quantity import signal_number
from sandboxctl.state.link import Link


@click.command("kill")
@click.argument("names", nargs=-1, required=True, metavar="SANDBOX...")
@click.option("-s", "--signal", default="KILL", show_default=True, metavar="SIGNAL", help="What to send.")
def command(names: tuple[str, ...], signal: str) -> None:
    """Send a signal to the first program of running sandboxes."""
    signo = signal_number(signal, "--signal")
    known = states()
    for name in names:
        record = known.find(name)
        link = Link(known.path(record.id))
        link.ask("signal", signo=signo, everyone=False, by_hand=True)
        link.close()
        click.echo(name)
