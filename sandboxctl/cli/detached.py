"""Sandboxes in the care of a keeper: how ``run -d``, ``create`` and ``start`` make and start them."""

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandboxctl.config import CommandConfig, SandboxConfig
from sandboxctl.errors import OptionError, SandboxError
from sandboxctl.images.registry import resolve
from sandboxctl.state import place, restart
from sandboxctl.state.folder import States
from sandboxctl.state.keeper import Keeper
from sandboxctl.state.launch import launch
from sandboxctl.state.plain import config_from_plain, config_to_plain, from_plain, to_plain
from sandboxctl.state.record import CREATED, STOPPED, Record


def states() -> States:
    """The sandboxes of this user."""
    return States(place.prepare(place.default_root()))


def labels_of(texts: Sequence[str], option: str) -> dict[str, str]:
    """``--label NAME[=VALUE]``. Raises OptionError."""
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not name:
            raise OptionError(f"{option}: {text!r} is not NAME=VALUE")
        found[name] = value
    return found


def new_record(config: SandboxConfig, command: CommandConfig, options: Mapping[str, Any]) -> Record:
    """The record of a new sandbox; ``options`` are those of ``run`` that concern it. Raises OptionError."""
    cidfile = options["cidfile"]
    if cidfile is not None and os.path.lexists(cidfile):
        raise OptionError(f"--cidfile: {cidfile} exists; remove it or name another file")
    policy = restart.check(options["restart"])
    if policy and options["rm"]:
        raise OptionError("--restart and --rm contradict each other; leave one of them out")
    ident = secrets.token_hex(32)
    return Record(
        id=ident,
        name=config.name or f"sandbox-{ident[:8]}",
        image=config.image,
        argv=list(command.argv),
        created=time.time(),
        labels=labels_of(options["labels"], "--label"),
        annotations=labels_of(options["annotations"], "--annotation"),
        auto_remove=options["rm"],
        stop_signal=config.stop_signal,
        command={**to_plain(command), "timeout": command.timeout},
        config=config_to_plain(replace(config, image=_pinned(config.image))),
        restart=policy,
    )


def _pinned(image: str) -> str:
    """The image's id, if it is one of the store: its name may come to stand for another one before the next start."""
    found = resolve(image)
    return found.id if found.layers is not None else image


def write_cidfile(path: str | None, record: Record) -> None:
    """``--cidfile``. Raises OptionError."""
    if path is not None:
        try:
            with open(path, "x", encoding="ascii") as file:
                file.write(record.id)
        except OSError as error:
            raise OptionError(f"--cidfile: cannot write {path}: {error.strerror}") from None


def run_detached(config: SandboxConfig, command: CommandConfig, options: Mapping[str, Any]) -> str:
    """Start it and return its id. Raises SandboxError, also with 126 and 127 if the program cannot be started."""
    record = new_record(config, command, options)
    known = states()
    with known.claim(record):
        launch(lambda: Keeper(known, record, config, command), _begin_and_release, keeps_streams=False)
    write_cidfile(options["cidfile"], record)
    return record.id


def run_followed(config: SandboxConfig, command: CommandConfig, options: Mapping[str, Any]) -> int:
    """``run`` in the care of a keeper, so that its terminal can be left; returns its exit code. Nothing stays when it ends."""
    from sandboxctl.cli.attached import follow, parse_keys
    from sandboxctl.state.link import Link

    keys = parse_keys(options["detach_keys"])
    record = new_record(config, command, {**options, "rm": True})
    known = states()
    with known.claim(record):
        launch(lambda: Keeper(known, record, config, command), Keeper.begin_logged, keeps_streams=False)
    write_cidfile(options["cidfile"], record)
    link = Link(known.path(record.id))
    return follow(link, record, types=command.interactive, closes=True, keys=keys, passes_signals=True, starts=True)


def create(config: SandboxConfig, command: CommandConfig, options: Mapping[str, Any]) -> str:
    """Write the record of a sandbox that ``start`` will start; returns its id. Raises SandboxError."""
    record = new_record(config, command, options)
    known = states()
    with known.claim(record):
        known.note(record, "create")
    write_cidfile(options["cidfile"], record)
    return record.id


def start(known: States, record: Record, *, is_held: bool) -> None:
    """Start a sandbox that was created, or has ended, with the keeper that it needs. Raises SandboxError.

    ``is_held``: everything but its program, which the message ``start`` lets begin.
    """
    if not record.config:
        raise SandboxError(f"{record.name or record.id[:12]} cannot be started here: the engine that made it has to")
    with known.hold(record):
        fresh = known.look(record.id)
        if fresh is None or (fresh.status not in {CREATED, STOPPED}):
            raise SandboxError(f"{record.name or record.id[:12]} is running, or being started")
        try:
            config = config_from_plain(fresh.config)
            command = replace(from_plain(fresh.command), timeout=fresh.command.get("timeout"))
        except (TypeError, ValueError, KeyError) as error:
            raise SandboxError(f"the record of {record.name} is of another version of sandboxctl: {error}") from None
        fresh.status, fresh.exit_code, fresh.error, fresh.restarts, fresh.stopped_by_hand = CREATED, 0, "", 0, False
        begin: Callable[[Keeper], None] = Keeper.begin_logged if is_held else _begin_and_release
        launch(lambda: Keeper(known, fresh, config, command), begin, keeps_streams=False)


def _begin_and_release(keeper: Keeper) -> None:
    keeper.begin_logged()
    keeper.release()
