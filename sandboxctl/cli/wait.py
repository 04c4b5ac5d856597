"""``sandboxctl wait``."""

import select
from typing import Any

import click

from sandboxctl.cli.choice import STATUS, Choice, choosing
from sandboxctl.cli.detached import states
from sandboxctl.errors import OptionError
from sandboxctl.options.quantity import duration
from sandboxctl.state import ending
from sandboxctl.state.folder import States
from sandboxctl.state.record import Record

_CONDITIONS = ("configured", "created", "exited", "paused", "removing", "running", "stopped")
_SAME = {"configured": "created", "stopped": "exited"}


def _poll(known: States, record: Record, wanted: set[str], pause: float) -> int:
    """The exit code once one of the conditions holds; -1 while its program has not ended. Gone counts as removing and exited."""
    while True:
        found = known.look(record.id)
        if found is None:
            return record.exit_code
        if STATUS[found.status] in wanted:
            return found.exit_code if STATUS[found.status] == "exited" else -1
        select.poll().poll(pause * 1000)


@click.command("wait")
@choosing("latest", "cidfile", "ignore")
@click.option("--condition", "conditions", multiple=True, metavar="STATE", help=f"{', '.join(_CONDITIONS)}.  [default: stopped]")
@click.option("--interval", default="250ms", show_default=True, metavar="TIME", help="How often a --condition is looked at.")
def command(conditions: tuple[str, ...], interval: str, **chosen: Any) -> None:
    """Wait until sandboxes have ended and print their exit statuses; -1 where a condition holds while the program runs.

    \b
    Example:
      sandboxctl wait --condition running web
    """
    words = [word for text in conditions for word in text.split(",")]
    for word in words:
        if word not in _CONDITIONS:
            raise OptionError(f"--condition: {word!r} is not one of {', '.join(_CONDITIONS)}")
    wanted = {_SAME.get(word, word) for word in words}
    pause = duration(interval, "--interval") if not interval.isdecimal() else int(interval) / 1000
    known = states()
    for one in Choice(**chosen).find(known, lambda record: True):
        record = one.record
        click.echo(_poll(known, record, wanted, pause) if wanted - {"exited"} else ending.wait(known, record))
