"""``sandboxctl compat``: the matrix of system calls, as the installed code declares it and the tests at hand prove it."""

import json
import sys
from typing import Any

import click

from sandboxctl.cli.table import columns
from syscalls import compat
from syscalls.abi.nr_x86_64 import NAMES, NUMBERS
from syscalls.registry import build_table


def rows() -> list[dict[str, Any]]:
    """Return one record for each system call of Linux, by number. Where no tests are installed, levels are as declared."""
    if compat.TESTS.is_dir():
        calls: list[dict[str, Any]] = compat.matrix()["calls"]
        return calls
    taken_on_trust = {name: ["(tests are not installed)"] for name in NUMBERS}
    table = build_table()
    return [compat.row(nr, table[nr], taken_on_trust) for nr in sorted(NAMES)]


@click.command("compat")
@click.argument("names", nargs=-1)
@click.option("--family", help="Only this family, for example fdio.")
@click.option("--level", type=click.Choice(compat.LEVELS), help="Only this level.")
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
def command(names: tuple[str, ...], family: str | None, level: str | None, form: str) -> None:
    """Show which system calls work, and how far: full, partial, stub, refused or missing.

    \b
    Examples:
      sandboxctl compat --level missing
      sandboxctl compat openat read write
      sandboxctl compat --format json
    """
    unknown = [name for name in names if name not in NUMBERS]
    if unknown:
        raise click.BadParameter(f"no such system call: {', '.join(unknown)}")
    chosen = [
        row
        for row in rows()
        if (not names or row["name"] in names) and family in {None, row.get("family")} and level in {None, row["level"]}
    ]
    if form == "json":
        click.echo(json.dumps(chosen, indent=1))
        return
    cells = [[str(row["nr"]), row["name"], row.get("family", ""), row["level"], row["note"]] for row in chosen]
    for line in columns(("nr", "call", "family", "level", "note"), cells, is_terminal=sys.stdout.isatty()):
        click.echo(line)
    totals = [f"{sum(row['level'] == name for row in chosen)} {name}" for name in compat.LEVELS]
    click.echo(f"{len(chosen)} calls: {', '.join(totals)}")
