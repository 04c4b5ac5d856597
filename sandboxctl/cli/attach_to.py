"""``sandboxctl attach``."""

import click

from sandboxctl.cli.attached import DETACH_KEYS, follow, parse_keys
from sandboxctl.cli.choice import complete
from sandboxctl.cli.detached import states
from sandboxctl.errors import SandboxError
from sandboxctl.state.link import Link
from sandboxctl.state.record import RUNNING


@click.command("attach")
@click.argument("name", metavar="SANDBOX", shell_complete=complete)
@click.option("--no-stdin", is_flag=True, help="Only listen.")
@click.option("--detach-keys", default=DETACH_KEYS, show_default=True, metavar="KEYS", help="What leaves it running.")
@click.option("--sig-proxy/--no-sig-proxy", default=True, help="Pass signals on.  [default: yes]")
def command(name: str, no_stdin: bool, detach_keys: str, sig_proxy: bool) -> int:
    """Join our terminal or streams to those of a running sandbox; exits as its program does.

    It gets our input if it was made with -i. The keys ctrl-p ctrl-q leave it running. Earlier output: sandboxctl logs.

    \b
    Example:
      sandboxctl attach --no-stdin web
    """
    keys = parse_keys(detach_keys)
    known = states()
    record = known.find(name)
    if record.status != RUNNING:
        raise SandboxError(f"{name} is {record.status}, not running; see: sandboxctl start -a")
    link = Link(known.path(record.id))
    return follow(link, record, types=not no_stdin, closes=False, keys=keys, passes_signals=sig_proxy)
