"""``sandboxctl events``."""

import json
import os
import select
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from sandboxctl.cli.detached import states
from sandboxctl.cli.human import moment
from sandboxctl.cli.listing import parse_filters
from sandboxctl.cli.template import Template
from sandboxctl.errors import OptionError
from sandboxctl.state import event_log

_TURN = 0.2
_FILTERS = ("container", "event", "image", "label", "type")
Event = Mapping[str, Any]


def _fits(event: Event, pairs: list[tuple[str, str]]) -> bool:
    """Filters of one kind are alternatives, those of several kinds must all hold (docker's rule)."""
    return all(any(_holds(event, name, value) for other, value in pairs if other == name) for name in {name for name, _ in pairs})


def _holds(event: Event, name: str, value: str) -> bool:
    if name == "container":
        return value in {event["Name"], event["ID"]} or (len(value) >= 3 and event["ID"].startswith(value))
    if name == "label":
        key, equals, wanted = value.partition("=")
        return key in event["Attributes"] and (not equals or event["Attributes"][key] == wanted)
    return bool(value == event[{"event": "Status", "image": "Image", "type": "Type"}[name]])


def _line(event: Event) -> str:
    stamp = datetime.fromtimestamp(event["time"], UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{event['timeNano'] % 10**9:09d}Z"
    more = {"image": event["Image"], "name": event["Name"], **event["Attributes"]}
    return f"{stamp} container {event['Status']} {event['ID']} ({', '.join(f'{key}={value}' for key, value in more.items())})"


@click.command("events")
@click.option("--since", default="", metavar="TIME", help="From then on: 2026-01-31T10:00:00Z, or 10m for ten minutes ago.")
@click.option("--until", default="", metavar="TIME", help="Until then.")
@click.option("-f", "--filter", "filters", multiple=True, metavar="NAME=VALUE", help="container, event, image, label or type.")
@click.option("--stream/--no-stream", default=True, help="Go on with what happens.  [default: go on]")
@click.option("--format", metavar="TEMPLATE|json", help="A Go template, for example '{{.Status}} {{.Name}}'.")
def command(since: str, until: str, filters: tuple[str, ...], stream: bool, format: str | None) -> None:
    """Show what happens to sandboxes: create, init, start, pause, unpause, died, rename, update, remove.

    Without --since only what happens from now on; with --no-stream all that is still known.

    \b
    Example:
      sandboxctl events --since 1h --filter event=died --format '{{.Name}}'
    """
    pairs = parse_filters(filters, _FILTERS)
    first = moment(since, "--since") if since else 0.0 if not stream else time.time()
    last = moment(until, "--until") if until else float("inf")
    template = Template(format) if format is not None and format != "json" else None
    if template is not None and template.is_table:
        raise OptionError("--format: events are lines, not a table")
    folder = states().folder
    position = 0
    shown = [event for event in event_log.read(folder) if event["timeNano"] / 1e9 >= first]
    path = os.path.join(folder, event_log.NAME)
    if os.path.exists(path):
        position = os.stat(path).st_size
    while True:
        for event in shown:
            if event["timeNano"] / 1e9 <= last and _fits(event, pairs):
                click.echo(template.render(event) if template is not None else json.dumps(event) if format else _line(event))
        if not stream or time.time() > last:
            return
        select.select([], [], [], _TURN)
        shown, position = _more(path, position)


def _more(path: str, position: int) -> tuple[list[dict[str, Any]], int]:
    """Events after ``position``, whole lines only; a file that has become shorter is a new one."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size < position:
                position = 0
            file.seek(position)
            data = file.read()
    except FileNotFoundError:
        return [], 0
    whole = data[: data.rfind(b"\n") + 1]
    return list(event_log.parsed(whole.splitlines())), position + len(whole)
