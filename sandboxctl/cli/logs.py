"""``sandboxctl logs``."""

import os
import select
import sys
import time
from typing import Any

import click

from sandboxctl.cli.choice import Choice, choosing
from sandboxctl.cli.detached import states
from sandboxctl.cli.human import moment
from sandboxctl.errors import OptionError, SandboxError
from sandboxctl.state.log_file import NAME, parsed, records

_TURN_MS = 200


@click.command("logs")
@choosing("latest")
@click.option("-f", "--follow", is_flag=True, help="Go on until the sandbox ends.")
@click.option("--tail", default="all", metavar="N", help="Only the last N lines.")
@click.option("-t", "--timestamps", is_flag=True, help="The time before every line.")
@click.option("--since", default="", metavar="TIME", help="Only what is newer: 2026-01-31T10:00:00Z, or 10m for ten minutes ago.")
@click.option("--until", default="", metavar="TIME", help="Only what is older.")
@click.option("-n", "--names", "with_names", is_flag=True, help="The sandbox's name before every line.")
def command(follow: bool, tail: str, timestamps: bool, since: str, until: str, with_names: bool, **chosen: Any) -> None:
    """Print what detached sandboxes wrote; their standard error goes to ours.

    \b
    Example:
      sandboxctl logs --follow --since 10m web
    """
    if tail != "all" and not tail.isdecimal():
        raise OptionError(f"--tail: {tail!r} is not a number")
    window = _stamp(since, "--since"), _stamp(until, "--until") or "~"
    known = states()
    found = [one.record for one in Choice(**chosen).find(known, lambda record: True)]
    if follow and len(found) > 1:
        raise OptionError("--follow: only one sandbox at a time")
    for record in found:
        head = f"{record.name} " if with_names else ""
        _print(known.path(record.id), record.pid if follow else 0, tail, window, head, timestamps=timestamps)


def _stamp(text: str, option: str) -> str:
    """A moment as the log writes it."""
    if not text:
        return ""
    seconds = moment(text, option)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 10**9):09d}Z"


def _print(folder: str, pid: int, tail: str, window: tuple[str, str], head: str, *, timestamps: bool) -> None:
    """``pid``: of the keeper that is followed, or 0."""
    keeper = _keeper(pid)
    rest = b""
    position = 0
    if keeper >= 0:
        shown, position, rest = _read_on(folder, 0, b"")
    else:
        shown = list(records(folder))
    shown = [item for item in shown if window[0] <= item[0] <= window[1]]
    _show(shown if tail == "all" else shown[len(shown) - min(int(tail), len(shown)) :], head, timestamps)
    while keeper >= 0:
        poll = select.poll()
        poll.register(keeper, select.POLLIN)
        is_over = bool(poll.poll(_TURN_MS))
        try:
            shown, position, rest = _read_on(folder, position, rest)
        except FileNotFoundError:
            return
        _show([item for item in shown if item[0] <= window[1]], head, timestamps)
        if is_over:
            return


def _keeper(pid: int) -> int:
    try:
        return os.pidfd_open(pid) if pid > 0 else -1
    except ProcessLookupError:
        return -1


def _read_on(folder: str, position: int, rest: bytes) -> tuple[list[tuple[str, int, bytes]], int, bytes]:
    """Records after ``position``; a file that has become shorter was rotated and begins anew."""
    with open(os.path.join(folder, NAME), "rb") as file:
        if os.fstat(file.fileno()).st_size < position:
            position, rest = 0, b""
        file.seek(position)
        data = rest + file.read()
        position = file.tell()
    whole, newline, rest = data.rpartition(b"\n")
    return list(parsed((whole + newline).splitlines(keepends=True))), position, rest


def _show(items: list[tuple[str, int, bytes]], head: str, timestamps: bool) -> None:
    try:
        for stamp, number, text in items:
            stream = sys.stderr.buffer if number == 2 else sys.stdout.buffer
            stream.write(f"{head}{stamp} ".encode() + text if timestamps else head.encode() + text)
            stream.flush()
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise SandboxError(f"cannot write the log: {error.strerror}") from None
