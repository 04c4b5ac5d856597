"""``sandboxctl volume``: named volumes."""

import json
import os
from datetime import UTC, datetime
from typing import Any

import click

from sandboxctl.cli.detached import states
from sandboxctl.cli.listing import print_rows
from sandboxctl.errors import OptionError
from sandboxctl.store.volumes import Volumes


def _row(volumes: Volumes, name: str) -> dict[str, Any]:
    path = volumes.path(name)
    if not os.path.isdir(path):
        raise OptionError(f"no volume {name!r}; see: sandboxctl volume ls")
    made = datetime.fromtimestamp(os.stat(path).st_ctime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"Driver": "local", "Name": name, "Mountpoint": path, "CreatedAt": made, "Scope": "local"}


def _users(path: str) -> list[str]:
    """The sandboxes that mount it, running or not."""
    records = states().all()
    return [record.name for record in records if any(one.get("source") == path for one in record.config.get("mounts") or ())]


def _remove(volumes: Volumes, name: str) -> None:
    users = _users(volumes.path(name))
    if users:
        raise OptionError(f"volume {name} is in use by {', '.join(users)}; remove these first")
    volumes.remove(name)
    click.echo(name)


@click.group("volume")
def command() -> None:
    """Manage named volumes: folders that outlive sandboxes, for `run -v NAME:/path`.

    \b
    Example:
      sandboxctl volume create data
      sandboxctl run -v data:/data host -- touch /data/kept
    """


@command.command("create")
@click.argument("name")
def create(name: str) -> None:
    """Make an empty volume; one that is there stays as it is.

    \b
    Example:
      sandboxctl volume create data
    """
    Volumes().make(name)
    click.echo(name)


@command.command("ls")
@click.option("-q", "--quiet", is_flag=True, help="Names only.")
@click.option("--format", metavar="TEMPLATE|json", help="A Go template, for example '{{.Name}} {{.Mountpoint}}'.")
def ls(quiet: bool, format: str | None) -> None:
    """List volumes.

    \b
    Example:
      sandboxctl volume ls --format '{{.Name}} {{.Mountpoint}}'
    """
    volumes = Volumes()
    rows = [_row(volumes, name) for name in volumes.names()]
    if quiet:
        format = "{{.Name}}"
    print_rows(rows, {"DRIVER": "Driver", "VOLUME NAME": "Name"}, format)


@command.command("inspect")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def inspect(names: tuple[str, ...]) -> None:
    """Show where volumes are, as JSON.

    \b
    Example:
      sandboxctl volume inspect data
    """
    volumes = Volumes()
    click.echo(json.dumps([_row(volumes, name) for name in names], indent=4))


@command.command("rm")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def rm(names: tuple[str, ...]) -> None:
    """Remove volumes that no sandbox mounts, with what is in them.

    \b
    Example:
      sandboxctl volume rm data
    """
    volumes = Volumes()
    for name in names:
        _remove(volumes, name)


@command.command("prune")
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
def prune(force: bool) -> None:
    """Remove all volumes that no sandbox mounts.

    \b
    Example:
      sandboxctl volume prune --force
    """
    if not force:
        raise OptionError("prune removes data: add --force")
    volumes = Volumes()
    for name in volumes.names():
        if not _users(volumes.path(name)):
            _remove(volumes, name)
