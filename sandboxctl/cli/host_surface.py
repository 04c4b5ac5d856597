"""``sandboxctl host-surface``: every host call that the three kinds of process may make, from the installed rules."""

import json
import sys
from collections.abc import Iterable
from typing import Any

import click

from gofer.filter.rules import host_rules as gofer_rules
from sandboxctl.cli.commands import Context
from sandboxctl.cli.table import columns

PROCESSES = ("guest", "sentry", "gofer")
FIELDS = ("process", "call", "action", "condition", "reason")


def rows(profile: str) -> list[dict[str, str]]:
    """Return the rules as records with the keys ``FIELDS``."""
    from sentry.platform.filter.surface import host_rules as platform_rules

    rules: Iterable[Any] = [*platform_rules(profile), *_let_through(), *gofer_rules()]
    found = []
    for rule in rules:
        values = rule if isinstance(rule, tuple) else [getattr(rule, name) for name in FIELDS]
        found.append(dict(zip(FIELDS, values, strict=True)))
    return found


def _let_through() -> list[tuple[str, ...]]:
    """Trapped calls that the sentry checks and may then let the host run."""
    from syscalls.registry import build_table, proceeding

    listed = proceeding(build_table())
    return [("guest", name, "continue", "trapped, checked by the sentry", reason) for name, reason in sorted(listed.items())]


@click.command("host-surface")
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.option("--process", type=click.Choice(PROCESSES), help="Only this kind of process.")
@click.pass_obj
def command(context: Context, form: str, process: str | None) -> None:
    """List every host call that guest, sentry and gofer may make, with its argument filter and the reason.

    Generated from the rules that the filters are compiled from.

    \b
    Examples:
      sandboxctl host-surface
      sandboxctl --profile strict host-surface --process guest --format json
    """
    chosen = [row for row in rows(context.profile) if process is None or row["process"] == process]
    if form == "json":
        click.echo(json.dumps(chosen, indent=1))
        return
    for line in columns(FIELDS, [[row[name] for name in FIELDS] for row in chosen], is_terminal=sys.stdout.isatty()):
        click.echo(line)
