"""``sandboxctl compat scan``: which system calls programs can make, without running them."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from sandboxctl.cli.table import columns
from sandboxctl.errors import OptionError
from syscalls.compat.levels import LEVELS
from syscalls.compat.rows import installed_rows

EXIT_HIT = 3
_FINE = ("full", "partial")


def _files(paths: Sequence[str]) -> Iterator[Path]:
    for text in paths:
        path = Path(text)
        if path.is_dir():
            yield from (one for one in sorted(path.rglob("*")) if one.is_file() and not one.is_symlink())
        else:
            yield path


def _scan(paths: Sequence[str], root: str) -> list[dict[str, Any]]:
    try:
        from sandboxctl.compat.scan.elf import NotForUs
        from sandboxctl.compat.scan.reach import Scanner
    except ImportError as error:
        raise OptionError(f"compat scan needs the package {error.name}: pip install 'sandboxctl[scan]'") from None
    levels = {row["name"]: row["level"] for row in installed_rows()}
    scanner = Scanner(Path(root))
    found: list[dict[str, Any]] = []
    for path in _files(paths):
        try:
            scan = scanner.scan(path)
        except NotForUs as error:
            if not any(Path(text).is_dir() for text in paths):
                found.append({"path": str(path), "verdict": "no", "reason": str(error), "calls": [], "problems": []})
            continue
        except OSError as error:
            raise OptionError(f"{path}: {error.strerror}") from None
        calls = [{"call": call, "level": levels[call], "in": module} for call, module in scan.calls.items()]
        is_fine = all(call["level"] in _FINE for call in calls)
        verdict = "yes" if is_fine and not scan.problems else "perhaps"
        found.append({"path": str(path), "verdict": verdict, "reason": "", "calls": calls, "problems": scan.problems})
    return found


def _lines(program: dict[str, Any]) -> Iterator[str]:
    yield f"{program['path']}: {program['verdict']}{', ' + program['reason'] if program['reason'] else ''}"
    yield from (f"  {problem}" for problem in program["problems"])
    doubtful = [call for call in program["calls"] if call["level"] not in _FINE]
    worst = sorted(doubtful, key=lambda call: -LEVELS.index(call["level"]))
    if worst:
        cells = [[call["call"], call["level"], call["in"]] for call in worst]
        yield from (f"  {line}" for line in columns(("call", "level", "made in"), cells, is_terminal=sys.stdout.isatty()))
    if program["calls"]:
        totals = [f"{sum(call['level'] == level for call in program['calls'])} {level}" for level in LEVELS]
        yield f"  {len(program['calls'])} calls in reach: {', '.join(totals)}"


@click.command("scan")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--root", default="/", show_default=True, metavar="DIR", help="Where the programs' libraries are looked for.")
@click.option("--fail-on", metavar="LEVEL,...", help="Exit with 3 if a call of one of these levels is in reach.")
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
def command(paths: tuple[str, ...], root: str, fail_on: str | None, form: str) -> int:
    """Look at the machine code of programs and their libraries: which system calls are in reach, and which of them are not full.

    A folder means every program below it. The look is static: a call in reach need not be made (most in "perhaps" are not), and
    what a program loads while it runs (plug-ins, modules, scripts) is not seen; `sandboxctl compat run` tells what it does.
    Verdicts: yes, every call in reach is full or partial; perhaps, some are not; no, the file cannot run here at all.

    \b
    Examples:
      sandboxctl compat scan /usr/bin/git
      sandboxctl compat scan --root ./rootfs --format json ./rootfs/usr/bin
    """
    levels = [word for word in (fail_on or "").split(",") if word]
    unknown = [word for word in levels if word not in LEVELS]
    if unknown:
        raise OptionError(f"--fail-on: {unknown[0]!r} is no level; use {', '.join(LEVELS)}")
    found = _scan(paths, root)
    if form == "json":
        click.echo(json.dumps(found, indent=1))
    else:
        for program in found:
            click.echo("\n".join(_lines(program)))
    has_hit = any(call["level"] in levels for program in found for call in program["calls"])
    return EXIT_HIT if has_hit or (levels and any(program["verdict"] == "no" for program in found)) else 0
