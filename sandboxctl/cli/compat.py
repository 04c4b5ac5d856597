"""``sandboxctl compat``: the matrix of system calls as the installed code declares it."""

import json
import sys

import click

from sandboxctl.cli.table import columns
from syscalls import registry
from syscalls.abi.nr_x86_64 import NUMBERS

LEVELS = ("full", "partial", "stub", "refused", "missing")


def rows() -> list[dict[str, object]]:
    """Return one record for each system call of Linux, by number."""
    table = {entry.name: entry for entry in registry.build_table() if entry is not None}
    found: list[dict[str, object]] = []
    for name, number in sorted(NUMBERS.items(), key=lambda item: item[1]):
        entry = table.get(name)
        if entry is None:
            found.append({"nr": number, "name": name, "family": "", "level": "missing", "note": "ENOSYS", "man": "", "host": ""})
            continue
        host = entry.native and f"{entry.native} ({entry.condition})" if entry.condition else entry.native
        level, note = entry.support.value, entry.note
        found.append(
            {"nr": number, "name": name, "family": entry.family, "level": level, "note": note, "man": entry.man, "host": host}
        )
    return found


@click.command("compat")
@click.argument("names", nargs=-1)
@click.option("--family", help="Only this family, for example fdio.")
@click.option("--level", type=click.Choice(LEVELS), help="Only this level.")
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
def command(names: tuple[str, ...], family: str | None, level: str | None, form: str) -> None:
    """Show which system calls work, and how far: full, partial, stub, refused or missing.

    \b
    Examples:
      sandboxctl compat --level missing
      sandboxctl compat openat read write
      sandboxctl compat --format json
    """
    chosen = [
        row
        for row in rows()
        if (not names or row["name"] in names)
        and (family is None or row["family"] == family)
        and (level is None or row["level"] == level)
    ]
    unknown = [name for name in names if name not in NUMBERS]
    if unknown:
        raise click.BadParameter(f"no such system call: {', '.join(unknown)}")
    if form == "json":
        click.echo(json.dumps(chosen, indent=1))
        return
    cells = [[str(row["nr"]), str(row["name"]), str(row["family"]), str(row["level"]), str(row["note"])] for row in chosen]
    for line in columns(("nr", "call", "family", "level", "note"), cells, is_terminal=sys.stdout.isatty()):
        click.echo(line)
    totals = [f"{sum(row['level'] == name for row in chosen)} {name}" for name in LEVELS]
    click.echo(f"{len(chosen)} calls: {', '.join(totals)}")
