"""``sandboxctl update``."""

import click

from sandboxctl.cli.detached import states
from sandboxctl.errors import OptionError
from sandboxctl.options import quantity
from sandboxctl.state import restart as policies
from sandboxctl.state.limits import update


@click.command("update")
@click.argument("names", nargs=-1, required=True, metavar="SANDBOX...")
@click.option("--restart", metavar="POLICY", help="no, on-failure[:N], always or unless-stopped.")
@click.option("-m", "--memory", metavar="SIZE", help="For one that was started with a limit.")
@click.option("--pids-limit", metavar="N", help="How many tasks there may be.")
def command(names: tuple[str, ...], restart: str | None, memory: str | None, pids_limit: str | None) -> None:
    """Change limits and the restart policy of sandboxes.

    \b
    Example:
      sandboxctl update --memory 1g --restart unless-stopped web
    """
    if restart is None and memory is None and pids_limit is None:
        raise OptionError("nothing to change: give --memory, --pids-limit or --restart")
    policy = policies.check(restart) if restart is not None else None
    size = quantity.size(memory, "--memory") if memory is not None else None
    tasks = quantity.whole(pids_limit, "--pids-limit", least=1, most=1 << 22) if pids_limit is not None else None
    known = states()
    for name in names:
        update(known, known.find(name), restart=policy, memory=size, pids_limit=tasks)
        click.echo(name)
