"""``sandboxctl rm``."""

from typing import Any

import click

from sandboxctl.cli.choice import Choice, choosing, each
from sandboxctl.cli.detached import states
from sandboxctl.errors import SandboxError
from sandboxctl.state.ending import stop
from sandboxctl.state.record import Record


@click.command("rm")
@choosing("all", "latest", "cidfile", "filter", "ignore")
@click.option("-f", "--force", is_flag=True, help="Kill what runs; say nothing of what there is not.")
@click.option("-t", "--time", "seconds", type=click.IntRange(0), help="With --force: seconds until SIGKILL.  [default: 0]")
@click.option("-v", "--volumes", is_flag=True, help="Accepted for podman's sake: unnamed volumes go with the sandbox anyway.")
def command(force: bool, seconds: int | None, volumes: bool, **chosen: Any) -> int:
    """Remove sandboxes that have ended: their record, their log and what they changed.

    \b
    Example:
      sandboxctl rm --force --time 5 web
    """
    chosen["ignore"] = chosen["ignore"] or force
    known = states()

    def remove(record: Record) -> None:
        if record.pid:
            if not (force or seconds is not None):
                raise SandboxError(f"{record.name} is running; stop it first, or use rm --force")
            stop(known, record, seconds or 0)
        known.remove(record.id)

    return each(Choice(**chosen).find(known, lambda record: True), remove)
