"""``sandboxctl diff``."""

import json

import click

from sandboxctl.cli.detached import states
from sandboxctl.images.difference import Change, of_image, of_running
from sandboxctl.images.running import of_link
from sandboxctl.state.folder import NotFound
from sandboxctl.state.idle import reach
from sandboxctl.store.place import Place


@click.command("diff")
@click.argument("name", metavar="SANDBOX|IMAGE")
@click.option("--format", type=click.Choice(["json"]), help="As JSON instead of lines.")
def command(name: str, format: str | None) -> None:
    """Show what a sandbox, or the top layer of an image, adds (A), changes (C) and removes (D).

    \b
    Example:
      sandboxctl diff localhost/app
    """
    found = _find(name)
    if format == "json":
        names = {"A": "added", "C": "changed", "D": "deleted"}
        lists = {name: [change.path for change in found if change.kind == kind] for kind, name in names.items()}
        click.echo(json.dumps({name: paths for name, paths in lists.items() if paths}, indent=4, ensure_ascii=False))
        return
    for change in found:
        click.echo(f"{change.kind} {change.path}")


def _find(name: str) -> list[Change]:
    """A sandbox of that name comes before an image."""
    known = states()
    try:
        record = known.find(name)
    except NotFound:
        return of_image(Place(), name)
    with reach(known, record.id) as link:
        return of_running(of_link(link))
