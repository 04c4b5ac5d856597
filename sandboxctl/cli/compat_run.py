"""``sandboxctl compat run``: a command in a sandbox that counts what it asks for."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sandboxctl.api import Sandbox
from sandboxctl.cli.attach import attach
from sandboxctl.cli.commands import Context
from sandboxctl.cli.run import checked
from sandboxctl.cli.run import command as run_command
from sandboxctl.cli.table import columns
from sandboxctl.compat.report import Report, report
from sandboxctl.errors import OptionError
from syscalls.compat.levels import LEVELS
from syscalls.compat.rows import installed_rows

EXIT_HIT = 3


def _levels(text: str | None) -> list[str]:
    levels = [word for word in (text or "").split(",") if word]
    unknown = [word for word in levels if word not in LEVELS]
    if unknown:
        raise OptionError(f"--fail-on: {unknown[0]!r} is no level; use {', '.join(LEVELS)}")
    return levels


def _lines(found: Report) -> Iterator[str]:
    header = ("call", "level", "times", "mean us", "errors", "flags and commands")
    cells = [
        [
            need.call,
            need.level,
            str(need.count),
            f"{need.mean_us:.1f}" if need.mean_us else "",
            " ".join(f"{name}:{times}" for name, times in sorted(need.errors.items())),
            " ".join(f"{word}?" if word in need.untried else word for word in need.words),
        ]
        for need in found.needs
    ]
    yield from columns(header, cells, is_terminal=False)
    for path, times in found.files.items():
        yield f"{path}  {times}"
    totals = [f"{len(found.hits([level]))} {level}" for level in LEVELS]
    yield f"{len(found.needs)} calls: {', '.join(totals)}; a word with ? is in no test of ours"


@click.pass_obj
def _run(
    context: Context,
    /,
    image: str | None,
    words: tuple[str, ...],
    fail_on: str | None,
    form: str,
    report_file: str | None,
    **options: Any,
) -> int:
    """Run COMMAND as `sandboxctl run` does and report what it asked the kernel for: calls, flags, files of /proc and /sys.

    The report goes to standard error, or to the file of --report. Every call reaches the sentry (profile strict), also what the
    host serves in an ordinary run. Exit status: 3 if a call of a level in --fail-on was used, else the command's own.

    \b
    Examples:
      sandboxctl compat run host -- python3 -c 'import sqlite3'
      sandboxctl compat run --fail-on missing,stub --format json --report needs.json host -- make test
    """
    levels = _levels(fail_on)
    context.profile = "strict"
    config, what = checked(context, image, words, options)
    with Sandbox.from_config(replace(config, census=True)) as sandbox:
        end = attach(sandbox, what)
        found = report(sandbox.census(), installed_rows(), end.status)
    text = json.dumps(found.as_data(), indent=1) if form == "json" else "\n".join(_lines(found))
    if end.message:
        sys.stderr.write(f"sandboxctl: {end.message}\n")
    if report_file is None:
        sys.stderr.write(f"{text}\n")
    else:
        try:
            Path(report_file).write_text(f"{text}\n")
        except OSError as error:
            raise OptionError(f"--report: cannot write {report_file}: {error.strerror}") from None
    return EXIT_HIT if found.hits(levels) else end.status


command = click.Command(
    "run",
    params=[
        *run_command.params,
        click.Option(["--fail-on"], metavar="LEVEL,...", help="Exit with 3 if a call of one of these levels was used."),
        click.Option(["--format", "form"], type=click.Choice(("table", "json")), default="table", show_default=True),
        click.Option(["--report", "report_file"], metavar="FILE", help="Write the report here instead of to standard error."),
    ],
    callback=_run,
    help=_run.__doc__,
    context_settings=run_command.context_settings,
)
