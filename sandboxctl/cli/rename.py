"""``sandboxctl rename``."""

import click

from sandboxctl.cli.choice import complete
from sandboxctl.cli.detached import states
from sandboxctl.options.assemble import check_name


@click.command("rename")
@click.argument("name", metavar="SANDBOX", shell_complete=complete)
@click.argument("new_name", metavar="NEW")
def command(name: str, new_name: str) -> None:
    """Give a sandbox another name.

    \b
    Example:
      sandboxctl rename web web-old
    """
    check_name(new_name)
    known = states()
    known.rename(known.find(name), new_name)
