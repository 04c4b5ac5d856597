"""``sandboxctl version``."""

import platform

import click

from sandboxctl import __version__


@click.command("version")
def command() -> None:
    """Print the version, the Python and the kernel that it runs on.

    \b
    Example:
      sandboxctl version
    """
    click.echo(f"sandboxctl {__version__} (Python {platform.python_version()}, Linux {platform.release()} {platform.machine()})")
