"""``sandboxctl compat``: which system calls work, and what a program would need of them."""

import json
import sys
from importlib import import_module
from typing import Any

import click

from sandboxctl.cli.table import columns
from syscalls.abi.nr_x86_64 import NUMBERS
from syscalls.compat.levels import LEVEL_TEXTS, LEVELS
from syscalls.compat.rows import installed_rows

_FORM = click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
_LATE = {"run": "sandboxctl.cli.compat_run", "scan": "sandboxctl.cli.compat_scan", "test": "sandboxctl.cli.compat_test"}


class _Group(click.Group):
    """Imports what only some commands need when they are used; words that are no command are calls to list."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["list", "show", *_LATE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _LATE:
            late: click.Command = import_module(_LATE[cmd_name]).command
            return late
        return super().get_command(ctx, cmd_name)


@click.group("compat", cls=_Group)
def command() -> None:
    """Show which system calls work, and what a program asks for.

    \b
    Examples:
      sandboxctl compat list --level missing
      sandboxctl compat show openat
      sandboxctl compat scan /usr/bin/git
      sandboxctl compat run host -- python3 -c 'import sqlite3'
      sandboxctl compat test host -- python3 -m pytest -v
    """


@command.command("list")
@click.argument("names", nargs=-1)
@click.option("--family", help="Only this family, for example fdio.")
@click.option("--level", type=click.Choice(LEVELS), help="Only this level.")
@_FORM
def list_calls(names: tuple[str, ...], family: str | None, level: str | None, form: str) -> None:
    """List system calls with their levels: full, partial, unproven, stub, refused or missing.

    \b
    Examples:
      sandboxctl compat list --family net
      sandboxctl compat list openat read write --format json
    """
    chosen = [
        row
        for row in _known(names)
        if (not names or row["name"] in names) and family in {None, row.get("family")} and level in {None, row["level"]}
    ]
    if form == "json":
        click.echo(json.dumps(chosen, indent=1))
        return
    cells = [[str(row["nr"]), row["name"], row.get("family", ""), row["level"], row["note"]] for row in chosen]
    for line in columns(("nr", "call", "family", "level", "note"), cells, is_terminal=sys.stdout.isatty()):
        click.echo(line)
    totals = [f"{sum(row['level'] == name for row in chosen)} {name}" for name in LEVELS]
    click.echo(f"{len(chosen)} calls: {', '.join(totals)}")


@command.command("show")
@click.argument("names", nargs=-1, required=True, metavar="CALL...")
@_FORM
def show(names: tuple[str, ...], form: str) -> None:
    """Show all that is known of a call: level, arguments, flags and commands that tests use, tests by name.

    \b
    Example:
      sandboxctl compat show fcntl
    """
    rows = {row["name"]: row for row in _known(names)}
    if form == "json":
        click.echo(json.dumps([rows[name] for name in names], indent=1))
        return
    for position, name in enumerate(names):
        click.echo(("\n" if position else "") + "\n".join(_lines(rows[name])))


def _known(names: tuple[str, ...]) -> list[dict[str, Any]]:
    unknown = [name for name in names if name not in NUMBERS]
    if unknown:
        raise click.BadParameter(f"no such system call: {', '.join(unknown)}")
    return installed_rows()


def _lines(row: dict[str, Any]) -> list[str]:
    words = row.get("words", {})
    native = row.get("native")
    fields = {
        "level": f"{row['level']}: {LEVEL_TEXTS[row['level']]}",
        "note": row["note"],
        "man page": row.get("man", ""),
        "arguments": ", ".join(row.get("arguments", ())),
        "served by": row["served"],
        "native": f"{native['reason']} ({native['condition']})" if native else "",
        "works": ", ".join(word for word, state in words.items() if state == "works"),
        "error": ", ".join(word for word, state in words.items() if state == "error"),
        "errors": ", ".join(row.get("errors", ())),
        "tests": ", ".join(row["tests"]),
    }
    return [f"{row['name']} ({row['nr']})", *(f"  {label + ':':11} {text}" for label, text in fields.items() if text)]
