"""``sandboxctl version``."""

import json
import platform

import click

from sandboxctl import __version__
from sandboxctl.cli.template import Template


@click.command("version")
@click.option("-f", "--format", metavar="TEMPLATE|json", help="A Go template, for example '{{.Client.Version}}'.")
def command(format: str | None) -> None:
    """Print the version, the Python and the kernel that it runs on.

    \b
    Example:
      sandboxctl version --format '{{.Client.Version}}'
    """
    client = {
        "Version": __version__,
        "PythonVersion": platform.python_version(),
        "KernelVersion": platform.release(),
        "OsArch": f"linux/{'amd64' if platform.machine() == 'x86_64' else platform.machine()}",
    }
    if format == "json":
        click.echo(json.dumps({"Client": client}, indent=4))
    elif format is not None:
        click.echo(Template(format).render({"Client": client}))
    else:
        host = f"Linux {client['KernelVersion']} {platform.machine()}"
        click.echo(f"sandboxctl {__version__} (Python {client['PythonVersion']}, {host})")
