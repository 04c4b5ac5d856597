"""``sandboxctl pause`` and ``sandboxctl unpause``."""

from typing import Any

import click

from sandboxctl.cli.choice import Choice, choosing, each
from sandboxctl.cli.detached import states
from sandboxctl.state.link import Link
from sandboxctl.state.record import PAUSED, RUNNING, Record


def _all(chosen: dict[str, Any], what: str, status: str) -> int:
    known = states()

    def ask(record: Record) -> None:
        link = Link(known.path(record.id))
        try:
            link.ask(what)
        finally:
            link.close()

    return each(Choice(**chosen).find(known, lambda record: record.status == status), ask)


@click.command("pause")
@choosing("all", "latest", "cidfile", "filter", "short")
def pause(**chosen: Any) -> int:
    """Let all programs of running sandboxes stand still. They do not notice, but for the time that has gone by.

    \b
    Example:
      sandboxctl pause --all
    """
    return _all(chosen, "pause", RUNNING)


@click.command("unpause")
@choosing("all", "latest", "cidfile", "filter", "short")
def unpause(**chosen: Any) -> int:
    """Let the programs of paused sandboxes go on.

    \b
    Example:
      sandboxctl unpause web
    """
    return _all(chosen, "resume", PAUSED)
