"""``sandboxctl inspect``."""

import json
from collections.abc import Callable
from typing import Any

import click

from sandboxctl.cli.main import complain
from sandboxctl.cli.template import Template

EXIT_NONE = 125


def _sandbox(name: str) -> dict[str, Any] | None:
    from sandboxctl.cli.detached import states
    from sandboxctl.state.describe import inspect
    from sandboxctl.state.folder import NotFound

    known = states()
    try:
        return inspect(known, known.find(name))
    except NotFound:
        return None


def _image(name: str) -> dict[str, Any] | None:
    from sandboxctl.images.describe import inspect
    from sandboxctl.store.place import Place

    return inspect(Place(), name)


_KINDS: dict[str, tuple[Callable[[str], dict[str, Any] | None], ...]] = {
    "all": (_sandbox, _image),
    "container": (_sandbox,),
    "image": (_image,),
}


@click.command("inspect")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("-t", "--type", "kind", type=click.Choice(list(_KINDS)), default="all", help="Where to look; sandboxes come first.")
@click.option("-f", "--format", metavar="TEMPLATE", help="A Go template, for example '{{.State.Status}}' or '{{json .RootFS}}'.")
def command(names: tuple[str, ...], kind: str, format: str | None) -> int:
    """Show all that is known of sandboxes and images, as JSON with podman's names.

    \b
    Example:
      sandboxctl inspect --format '{{.Config.Cmd}}' localhost/app
    """
    template = Template(format) if format is not None and format != "json" else None
    found = []
    status = 0
    for name in names:
        body = next((body for look in _KINDS[kind] if (body := look(name)) is not None), None)
        if body is None:
            what = {"all": "sandbox or image", "container": "sandbox", "image": "image"}[kind]
            status = complain(f"no {what} {name!r}; see: sandboxctl ps -a, sandboxctl images", EXIT_NONE)
        elif template is not None:
            click.echo(template.render(body))
        else:
            found.append(body)
    if template is None:
        click.echo(json.dumps(found, indent=4, ensure_ascii=False))
    return status
