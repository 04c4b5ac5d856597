"""``sandboxctl stop``."""

from typing import Any

import click

from sandboxctl.cli.choice import Choice, choosing, each
from sandboxctl.cli.detached import states
from sandboxctl.state.ending import stop


@click.command("stop")
@choosing("all", "latest", "cidfile", "filter", "short", "ignore")
@click.option("-t", "--time", "seconds", type=click.IntRange(0), default=10, show_default=True, help="Seconds until SIGKILL.")
def command(seconds: int, **chosen: Any) -> int:
    """End running sandboxes: their stop signal first, SIGKILL later. What they changed is there again when they are started.

    \b
    Example:
      sandboxctl stop --time 2 web
    """
    known = states()
    found = Choice(**chosen).find(known, lambda record: bool(record.pid))
    return each(found, lambda record: stop(known, record, seconds))
