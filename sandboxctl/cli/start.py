"""``sandboxctl start``."""

import click

from sandboxctl.cli.attached import DETACH_KEYS, follow, parse_keys
from sandboxctl.cli.detached import start, states
from sandboxctl.errors import OptionError
from sandboxctl.state.link import Link


@click.command("start")
@click.argument("names", nargs=-1, required=True, metavar="SANDBOX...")
@click.option("-a", "--attach", "attached", is_flag=True, help="Show its output, pass signals on, exit as it does.")
@click.option("-i", "--interactive", is_flag=True, help="With -a: give it our standard input, if it was created with -i.")
@click.option("--detach-keys", default=DETACH_KEYS, show_default=True, metavar="KEYS", help="What leaves it running.")
@click.option("--sig-proxy/--no-sig-proxy", default=True, help="Pass signals on.  [default: yes]")
def command(names: tuple[str, ...], attached: bool, interactive: bool, detach_keys: str, sig_proxy: bool) -> int:
    """Start sandboxes that were created or have ended. What they changed in their image's files is there again, unless the host
    or the sandbox itself was killed (SIGKILL of our own processes): then what the run before had changed.

    \b
    Example:
      sandboxctl create -i --name reader host -- wc -c
      echo hello | sandboxctl start -ai reader
    """
    attached = attached or interactive
    if attached and len(names) > 1:
        raise OptionError("-a: only one sandbox at a time")
    keys = parse_keys(detach_keys)
    known = states()
    for name in names:
        record = known.find(name)
        start(known, record, is_held=attached)
        if attached:
            link = Link(known.path(record.id))
            return follow(link, record, types=interactive, closes=True, keys=keys, passes_signals=sig_proxy, starts=True)
        click.echo(name)
    return 0
