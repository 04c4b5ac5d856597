"""``sandboxctl stats``."""

import select
import time
from typing import Any

import click

from sandboxctl.cli.detached import states
from sandboxctl.cli.human import size
from sandboxctl.cli.listing import print_rows
from sandboxctl.errors import OptionError
from sandboxctl.state.folder import States
from sandboxctl.state.link import Link, NotRunning
from sandboxctl.state.record import Record
from sandboxctl.state.usage import Usage, usage_of

_COLUMNS = {
    "ID": "ID", "NAME": "Name", "CPU %": "CPUPerc", "MEM USAGE / LIMIT": "MemUsage", "MEM %": "MemPerc", "PIDS": "PIDs",
}  # fmt: skip


def usage(known: States, record: Record) -> Usage | None:
    """What a sandbox uses now; None if it has ended meanwhile."""
    try:
        link = Link(known.path(record.id))
        found = link.ask("processes")["processes"]
    except NotRunning:
        return None
    link.close()
    return usage_of(found, record.config)


def _row(record: Record, now: Usage, before: Usage | None, seconds: float, *, full: bool) -> dict[str, Any]:
    """podman's fields. The first row counts since the start, later ones since the row before."""
    spent = now.cpu_ns - (before.cpu_ns if before is not None else 0)
    limit = now.memory_limit
    return {
        "ID": record.id if full else record.id[:12],
        "Name": record.name,
        "CPUPerc": f"{max(0.0, spent / 1e7 / max(seconds, 1e-3)):.2f}%",
        "MemUsage": f"{size(now.memory)} / {size(limit) if limit else '--'}",
        "MemPerc": f"{100 * now.memory / limit:.2f}%" if limit else "--",
        "PIDs": now.tasks,
        "CPUNano": now.cpu_ns,
        "MemUsageBytes": now.memory,
        "MemLimit": limit or 0,
    }


@click.command("stats")
@click.argument("names", nargs=-1, metavar="[SANDBOX...]")
@click.option("-a", "--all", "everything", is_flag=True, help="Accepted for podman's sake: those that run are shown.")
@click.option("--no-stream", is_flag=True, help="Once only.")
@click.option("--no-trunc", is_flag=True, help="Ids in full.")
@click.option("-i", "--interval", type=click.IntRange(1, 3600), default=5, show_default=True, help="Seconds between two looks.")
@click.option("--format", metavar="TEMPLATE|json", help="A Go template, for example '{{.Name}} {{.CPUPerc}}'.")
def command(
    names: tuple[str, ...], everything: bool, no_stream: bool, no_trunc: bool, interval: int, format: str | None
) -> None:
    """Show processor time, memory and tasks of running sandboxes. Memory that processes share counts for each of them.

    \b
    Example:
      sandboxctl stats --no-stream web
    """
    known = states()
    records = [known.find(name) for name in names] or [record for record in known.all() if record.is_alive]
    for record in records:
        if not record.is_alive:
            raise OptionError(f"{record.name} is {record.status}, not running")
    before: dict[str, Usage] = {}
    while True:
        rows = []
        for record in records:
            now = usage(known, record)
            if now is None:
                continue
            seconds = interval if record.id in before else time.time() - record.started
            rows.append(_row(record, now, before.get(record.id), seconds, full=no_trunc or format == "json"))
            before[record.id] = now
        print_rows(rows, _COLUMNS, format)
        if no_stream or not rows:
            return
        select.select([], [], [], interval)
