"""``sandboxctl pause`` and ``sandboxctl unpause``."""

import click

from sandboxctl.cli.detached import states
from sandboxctl.state.link import Link


def _all(names: tuple[str, ...], what: str) -> None:
    known = states()
    for name in names:
        link = Link(known.path(known.find(name).id))
        link.ask(what)
        link.close()
        click.echo(name)


@click.command("pause")
@click.argument("names", nargs=-1, required=True, metavar="SANDBOX...")
def pause(names: tuple[str, ...]) -> None:
    """Let all programs of running sandboxes stand still. They do not notice, but for the time that has gone by."""
    _all(names, "pause")


@click.command("unpause")
@click.argument("names", nargs=-1, required=True, metavar="SANDBOX...")
def unpause(names: tuple[str, ...]) -> None:
    """Let the programs of paused sandboxes go on."""
    _all(names, "resume")
