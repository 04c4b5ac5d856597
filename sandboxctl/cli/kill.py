"""``sandboxctl kill``."""

from typing import Any

import click

from sandboxctl.cli.choice import Choice, choosing, each
from sandboxctl.cli.detached import states
from sandboxctl.options.quantity import signal_number
from sandboxctl.state.link import Link
from sandboxctl.state.record import Record


@click.command("kill")
@choosing("all", "latest", "cidfile")
@click.option("-s", "--signal", default="KILL", show_default=True, metavar="SIGNAL", help="What to send.")
def command(signal: str, **chosen: Any) -> int:
    """Send a signal to the first program of running sandboxes.

    \b
    Example:
      sandboxctl kill --signal HUP web
    """
    signo = signal_number(signal, "--signal")
    known = states()

    def send(record: Record) -> None:
        link = Link(known.path(record.id))
        try:
            link.ask("signal", signo=signo, everyone=False, by_hand=True)
        finally:
            link.close()

    return each(Choice(**chosen).find(known, lambda record: record.is_alive), send)
