"""``sandboxctl inspect``."""

import json

import click

from sandboxctl.cli.main import complain
from sandboxctl.cli.template import Template
from sandboxctl.images.describe import inspect
from sandboxctl.store.place import Place

EXIT_NONE = 125


@click.command("inspect")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("-f", "--format", metavar="TEMPLATE", help="A Go template, for example '{{.Config.Env}}' or '{{json .RootFS}}'.")
def command(names: tuple[str, ...], format: str | None) -> int:
    """Show all that is known of images, as JSON.

    \b
    Example:
      sandboxctl inspect --format '{{.Config.Cmd}}' localhost/app
    """
    template = Template(format) if format is not None and format != "json" else None
    place = Place()
    found = []
    status = 0
    for name in names:
        body = inspect(place, name)
        if body is None:
            status = complain(f"no image {name!r} in the store; see: sandboxctl images", EXIT_NONE)
        elif template is not None:
            click.echo(template.render(body))
        else:
            found.append(body)
    if template is None:
        click.echo(json.dumps(found, indent=4, ensure_ascii=False))
    return status
