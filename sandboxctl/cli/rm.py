"""``sandboxctl rm``."""

import click

from sandboxctl.cli.detached import states
from sandboxctl.errors import SandboxError
from sandboxctl.state.ending import stop
from sandboxctl.state.folder import NotFound


@click.command("rm")
@click.argument("names", nargs=-1, required=False, metavar="SANDBOX...")
@click.option("-f", "--force", is_flag=True, help="Kill what runs; say nothing of what there is not.")
@click.option("-a", "--all", "everything", is_flag=True, help="All of them.")
def command(names: tuple[str, ...], force: bool, everything: bool) -> None:
    """Remove sandboxes that have ended: their record and their log."""
    known = states()
    for name in [record.id for record in known.all()] if everything else names:
        try:
            record = known.find(name)
        except NotFound:
            if not force:
                raise
            continue
        if record.pid:
            if not force:
                raise SandboxError(f"{name} is running; stop it first, or use rm --force")
            stop(known, record, 0)
        known.remove(record.id)
        click.echo(name)
