"""``sandboxctl debug``."""

import json
from typing import Any

import click

from sandboxctl.cli.choice import complete
from sandboxctl.cli.detached import states
from sandboxctl.state.folder import States
from sandboxctl.state.link import Link
from sandboxctl.state.record import Record


def _told(known: States, record: Record) -> dict[str, Any]:
    link = Link(known.path(record.id))
    told = link.ask("tasks")
    link.close()
    for task in told["tasks"]:
        task["name"] = task["name"].decode("utf-8", "replace")
    return told


def _block(task: dict[str, Any]) -> list[str]:
    call = f"{task['call']}({', '.join(task['arguments'])})" if task["call"] else "nothing asked yet"
    what = "waits in" if task["is_waiting"] else "was last answered:"
    lines = [f"task {task['tid']} of process {task['pid']} ({task['name']}), {task['host_tid']} on the host", f"  {what} {call}"]
    return lines + [f"    {place}" for place in task["stack"]] + [f"  {task['platform']}"]


@click.command("debug")
@click.argument("name", metavar="SANDBOX", shell_complete=complete)
@click.option("--format", type=click.Choice(["json"]), help="As JSON.")
def command(name: str, format: str | None) -> None:
    """Show each task of a running sandbox: its last call, and where in the sentry's Python code that waits.

    \b
    Example:
      sandboxctl debug web
    """
    known = states()
    record = known.find(name)
    told = _told(known, record)
    if format == "json":
        click.echo(json.dumps({"info": told["info"], "tasks": told["tasks"]}, indent=4))
        return
    info = told["info"]
    click.echo(f"{record.name}: {record.status}, keeper {record.pid}, platform {info['platform']}, profile {info['profile']}")
    click.echo(f"layers: {' '.join(info['layers'])}")
    for task in told["tasks"]:
        click.echo("\n".join(_block(task)))
