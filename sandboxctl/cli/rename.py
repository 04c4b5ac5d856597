"""``sandboxctl rename``."""

import click

from sandboxctl.cli.detached import states
from sandboxctl.options.assemble import check_name


@click.command("rename")
@click.argument("name", metavar="SANDBOX")
@click.argument("new_name", metavar="NEW")
def command(name: str, new_name: str) -> None:
    """Give a sandbox another name."""
    check_name(new_name)
    known = states()
    known.rename(known.find(name), new_name)
