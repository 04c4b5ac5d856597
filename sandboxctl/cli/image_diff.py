"""``sandboxctl diff``."""

import json

import click

from sandboxctl.images.difference import of_image
from sandboxctl.store.place import Place


@click.command("diff")
@click.argument("image")
@click.option("--format", type=click.Choice(["json"]), help="As JSON instead of lines.")
def command(image: str, format: str | None) -> None:
    """Show what the top layer of an image adds (A), changes (C) and removes (D).

    \b
    Example:
      sandboxctl diff localhost/app
    """
    found = of_image(Place(), image)
    if format == "json":
        names = {"A": "added", "C": "changed", "D": "deleted"}
        lists = {name: [change.path for change in found if change.kind == kind] for kind, name in names.items()}
        click.echo(json.dumps({name: paths for name, paths in lists.items() if paths}, indent=4, ensure_ascii=False))
        return
    for change in found:
        click.echo(f"{change.kind} {change.path}")
