"""``run -d``: a sandbox that goes on without us, in the care of a keeper."""

import os
import secrets
import time
from collections.abc import Sequence

import click

from sandboxctl.config import CommandConfig, SandboxConfig
from sandboxctl.errors import OptionError
from sandboxctl.state import place
from sandboxctl.state.folder import States
from sandboxctl.state.keeper import Keeper
from sandboxctl.state.launch import launch
from sandboxctl.state.plain import to_plain
from sandboxctl.state.record import Record


def states() -> States:
    """The sandboxes of this user."""
    return States(place.prepare(place.default_root()))


def labels_of(texts: Sequence[str]) -> dict[str, str]:
    """``--label NAME[=VALUE]``. Raises OptionError."""
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not name:
            raise OptionError(f"--label: {text!r} is not NAME=VALUE")
        found[name] = value
    return found


def run_detached(
    config: SandboxConfig, command: CommandConfig, *, remove: bool, labels: dict[str, str], cidfile: str | None
) -> None:
    """Start it and print its id. Raises SandboxError, also with 126 and 127 if the program cannot be started."""
    if command.timeout is not None:
        raise OptionError("--timeout does not work with -d yet; leave it out")
    if cidfile is not None and os.path.lexists(cidfile):
        raise OptionError(f"--cidfile: {cidfile} exists; remove it or name another file")
    ident = secrets.token_hex(32)
    record = Record(
        id=ident,
        name=config.name or f"sandbox-{ident[:8]}",
        image=config.image,
        argv=list(command.argv),
        created=time.time(),
        labels=labels,
        auto_remove=remove,
        stop_signal=config.stop_signal,
        command=to_plain(command),
    )
    known = states()

    def begin(keeper: Keeper) -> None:
        streams = keeper.log_streams()
        keeper.begin(streams)
        for fd in streams.values():
            os.close(fd)
        keeper.release()

    with known.claim(record):
        launch(lambda: Keeper(known, record, config, command), begin, keeps_streams=False)
    if cidfile is not None:
        with open(cidfile, "x", encoding="ascii") as file:
            file.write(ident)
    click.echo(ident)
