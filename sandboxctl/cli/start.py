"""``sandboxctl start``."""

from typing import Any

import click

from sandboxctl.cli.attached import DETACH_KEYS, follow, parse_keys
from sandboxctl.cli.choice import Choice, choosing, each
from sandboxctl.cli.detached import start, states
from sandboxctl.errors import OptionError
from sandboxctl.state.link import Link
from sandboxctl.state.record import CREATED, STOPPED


@click.command("start")
@choosing("every", "latest", "filter", "short")
@click.option("-a", "--attach", "attached", is_flag=True, help="Show its output, pass signals on, exit as it does.")
@click.option("-i", "--interactive", is_flag=True, help="With -a: give it our standard input, if it was created with -i.")
@click.option("--detach-keys", default=DETACH_KEYS, show_default=True, metavar="KEYS", help="What leaves it running.")
@click.option("--sig-proxy/--no-sig-proxy", default=True, help="Pass signals on.  [default: yes]")
def command(attached: bool, interactive: bool, detach_keys: str, sig_proxy: bool, **chosen: Any) -> int:
    """Start sandboxes that were created or have ended. What they changed in their image's files is there again, unless the host
    or the sandbox itself was killed (SIGKILL of our own processes): then what the run before had changed.

    \b
    Example:
      sandboxctl create -i --name reader host -- wc -c
      echo hello | sandboxctl start -ai reader
    """
    attached = attached or interactive
    keys = parse_keys(detach_keys)
    known = states()
    found = Choice(**chosen).find(known, lambda record: record.status in {CREATED, STOPPED} and bool(record.config))
    if not attached:
        return each(found, lambda record: start(known, record, is_held=False))
    if len(found) != 1 or chosen["everything"]:
        raise OptionError("-a: only one sandbox at a time")
    record = found[0].record
    start(known, record, is_held=True)
    link = Link(known.path(record.id))
    return follow(link, record, types=interactive, closes=True, keys=keys, passes_signals=sig_proxy, starts=True)
