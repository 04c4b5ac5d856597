"""``sandboxctl ps``."""

import shlex
import time
from typing import Any

import click

from sandboxctl.cli.detached import states
from sandboxctl.cli.human import ago_of
from sandboxctl.cli.listing import parse_filters, print_rows
from sandboxctl.state.record import CREATED, PAUSED, RUNNING, Record

_COLUMNS = {
    "CONTAINER ID": "ID",
    "IMAGE": "Image",
    "COMMAND": "Command",
    "CREATED": "CreatedHuman",
    "STATUS": "Status",
    "NAMES": "Names",
}
_FILTERS = ("id", "name", "status", "label")
STATUS = {CREATED: "created", RUNNING: "running", PAUSED: "paused", "stopped": "exited"}


def row(record: Record, *, full: bool) -> dict[str, Any]:
    """One sandbox with podman's field names."""
    words = shlex.join(record.argv)
    return {
        "ID": record.id if full else record.id[:12],
        "Names": record.name,
        "Image": record.image,
        "Command": words if full or len(words) <= 24 else words[:23] + "…",
        "CreatedHuman": ago_of(record.created),
        "Created": int(record.created),
        "State": STATUS[record.status],
        "Status": _status(record),
        "ExitCode": record.exit_code,
        "Pid": record.pid,
        "Labels": record.labels,
    }


def _status(record: Record) -> str:
    if record.status == CREATED:
        return "Created"
    if record.is_alive:
        return f"Up {ago_of(record.started).removesuffix(' ago')}{' (Paused)' if record.status == PAUSED else ''}"
    return f"Exited ({record.exit_code}) {ago_of(record.finished or time.time())}"


def _fits(record: Record, pairs: list[tuple[str, str]]) -> bool:
    for name, value in pairs:
        if name == "id" and not record.id.startswith(value):
            return False
        if name == "name" and value not in record.name:
            return False
        if name == "status" and value != STATUS[record.status]:
            return False
        if name == "label":
            key, equals, wanted = value.partition("=")
            if key not in record.labels or (equals and record.labels[key] != wanted):
                return False
    return True


@click.command("ps")
@click.option("-a", "--all", "everything", is_flag=True, help="Those that have ended too.")
@click.option("-q", "--quiet", is_flag=True, help="Ids only.")
@click.option("--no-trunc", is_flag=True, help="Ids and commands in full.")
@click.option("-f", "--filter", "filters", multiple=True, metavar="NAME=VALUE", help="id, name, status or label.")
@click.option("--format", metavar="TEMPLATE|json", help="A Go template, for example '{{.ID}} {{.Status}}'.")
@click.option("--noheading", is_flag=True, help="No line of headings.")
def command(everything: bool, quiet: bool, no_trunc: bool, filters: tuple[str, ...], format: str | None, noheading: bool) -> None:
    """List sandboxes that were started with `run -d`, or created.

    \b
    Example:
      sandboxctl ps -a --filter status=exited --format '{{.Names}} {{.ExitCode}}'
    """
    pairs = parse_filters(filters, _FILTERS)
    shows_all = everything or any(name == "status" for name, _ in pairs)
    records = [record for record in states().all() if (shows_all or record.is_alive) and _fits(record, pairs)]
    rows = [row(record, full=no_trunc or format == "json") for record in reversed(records)]
    if quiet:
        for found in rows:
            click.echo(found["ID"])
        return
    print_rows(rows, _COLUMNS, format, heading=not noheading)
