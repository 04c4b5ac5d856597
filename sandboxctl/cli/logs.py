"""``sandboxctl logs``."""

import os
import select
import sys

import click

from sandboxctl.cli.detached import states
from sandboxctl.errors import OptionError, SandboxError
from sandboxctl.state.log_file import NAME, parsed, records

_TURN_MS = 200


@click.command("logs")
@click.argument("name", metavar="SANDBOX")
@click.option("-f", "--follow", is_flag=True, help="Go on until the sandbox ends.")
@click.option("-n", "--tail", default="all", metavar="N", help="Only the last N lines.")
@click.option("-t", "--timestamps", is_flag=True, help="The time before every line.")
@click.option("--since", default="", metavar="TIME", help="Only what is newer, for example 2026-01-31T10:00:00Z (UTC).")
def command(name: str, follow: bool, tail: str, timestamps: bool, since: str) -> None:
    """Print what a detached sandbox wrote; its standard error goes to ours."""
    if tail != "all" and not tail.isdecimal():
        raise OptionError(f"--tail: {tail!r} is not a number")
    known = states()
    record = known.find(name)
    folder = known.path(record.id)
    shown = list(records(folder)) if not follow else []
    keeper = _keeper(record.pid) if follow else -1
    rest = b""
    position = 0
    if follow:
        shown, position, rest = _read_on(folder, 0, b"")
    shown = [item for item in shown if item[0] >= since]
    _show(shown if tail == "all" else shown[len(shown) - min(int(tail), len(shown)) :], timestamps)
    while keeper >= 0:
        poll = select.poll()
        poll.register(keeper, select.POLLIN)
        is_over = bool(poll.poll(_TURN_MS))
        try:
            shown, position, rest = _read_on(folder, position, rest)
        except FileNotFoundError:
            return
        _show(shown, timestamps)
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


def _show(items: list[tuple[str, int, bytes]], timestamps: bool) -> None:
    try:
        for stamp, number, text in items:
            stream = sys.stderr.buffer if number == 2 else sys.stdout.buffer
            stream.write(f"{stamp} ".encode() + text if timestamps else text)
            stream.flush()
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise SandboxError(f"cannot write the log: {error.strerror}") from None
