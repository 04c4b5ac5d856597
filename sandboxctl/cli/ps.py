"""``sandboxctl ps``."""

import os
import shlex
import tempfile
import time
from collections.abc import Callable
from typing import Any

import click

from sandboxctl.cli.choice import FILTERS, STATUS, holds
from sandboxctl.cli.detached import states
from sandboxctl.cli.human import ago_of, size
from sandboxctl.cli.listing import parse_filters, print_rows
from sandboxctl.errors import SandboxError
from sandboxctl.state.folder import States
from sandboxctl.state.idle import reach
from sandboxctl.state.kept import EMPTY
from sandboxctl.state.record import CREATED, PAUSED, Record

_COLUMNS = {
    "CONTAINER ID": "ID",
    "IMAGE": "Image",
    "COMMAND": "Command",
    "CREATED": "CreatedHuman",
    "STATUS": "Status",
    "NAMES": "Names",
}
_SORTS: dict[str, Callable[[Record], Any]] = {
    "command": lambda record: record.argv,
    "created": lambda record: record.created,
    "id": lambda record: record.id,
    "image": lambda record: record.image,
    "names": lambda record: record.name,
    "runningfor": lambda record: record.started,
    "status": lambda record: STATUS[record.status],
}


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
        "Annotations": record.annotations,
        "RunningFor": ago_of(record.started) if record.started else "",
    }


def _status(record: Record) -> str:
    if record.status == CREATED:
        return "Created"
    if record.is_alive:
        return f"Up {ago_of(record.started).removesuffix(' ago')}{' (Paused)' if record.status == PAUSED else ''}"
    return f"Exited ({record.exit_code}) {ago_of(record.finished or time.time())}"


def _size(known: States, record: Record) -> str:
    """How much has been changed: what a layer of it takes."""
    with tempfile.TemporaryFile() as file:
        try:
            with reach(known, record.id) as link:
                link.ask("export", [file.fileno()])
        except SandboxError:
            return "N/A"
        return size(max(0, os.fstat(file.fileno()).st_size - EMPTY))


@click.command("ps")
@click.option("-a", "--all", "everything", is_flag=True, help="Those that have ended too.")
@click.option("-q", "--quiet", is_flag=True, help="Ids only.")
@click.option("--no-trunc", is_flag=True, help="Ids and commands in full.")
@click.option("-f", "--filter", "filters", multiple=True, metavar="NAME=VALUE", help=f"{', '.join(FILTERS)}.")
@click.option("--format", metavar="TEMPLATE|json", help="A Go template, for example '{{.ID}} {{.Status}}'.")
@click.option("--noheading", is_flag=True, help="No line of headings.")
@click.option("-n", "--last", type=int, default=-1, metavar="N", help="The N that were created last, whatever they do.")
@click.option("-l", "--latest", is_flag=True, help="The one that was created last.")
@click.option("-s", "--size", "with_size", is_flag=True, help="How much they have changed.")
@click.option("--sort", type=click.Choice(list(_SORTS)), default="created", show_default=True, help="In which order.")
def command(filters: tuple[str, ...], format: str | None, sort: str, last: int, **flags: bool) -> None:
    """List sandboxes that were started with `run -d`, or created.

    \b
    Example:
      sandboxctl ps -a --filter status=exited --format '{{.Names}} {{.ExitCode}}'
    """
    pairs = parse_filters(filters, FILTERS)
    last = 1 if flags["latest"] else last
    shows_all = flags["everything"] or last >= 0 or any(name in {"status", "exited"} for name, _ in pairs)
    known = states()
    every = known.all()
    records = [record for record in every if (shows_all or record.is_alive) and holds(record, pairs, every)]
    chosen = records[len(records) - min(last, len(records)) :] if last >= 0 else records
    chosen.sort(key=_SORTS[sort], reverse=sort == "created")
    rows = [row(record, full=flags["no_trunc"] or format == "json") for record in chosen]
    columns = dict(_COLUMNS)
    if flags["with_size"]:
        columns["SIZE"] = "Size"
        for record, cells in zip(chosen, rows, strict=True):
            cells["Size"] = _size(known, record)
    if flags["quiet"]:
        for found in rows:
            click.echo(found["ID"])
        return
    print_rows(rows, columns, format, heading=not flags["noheading"])
