"""``sandboxctl compat test``: an application's own test suite, natively and in the sandbox."""

import os
import shlex
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from sandboxctl.cli.commands import Context
from sandboxctl.cli.run import checked
from sandboxctl.cli.run import command as run_command
from sandboxctl.compat.suite import report
from sandboxctl.compat.suite.comparison import Suite, compare
from sandboxctl.compat.suite.formats import READERS
from sandboxctl.compat.suite.places import Inside, Native
from sandboxctl.errors import OptionError

EXIT_DIFFERS = 3
_TIMEOUT_S = 3600.0
_UNUSED = ("detach", "tty", "interactive", "commit", "rm", "labels", "cidfile", "strace", "log_file")
_FORMS = ("auto", *READERS, "status")


def _with_place(options: Mapping[str, Any]) -> dict[str, Any]:
    """Without -v, --mount and -w the current folder is there too, read-only, under the same name if that can be."""
    if options.get("volumes") or options.get("mounts") or options.get("workdir"):
        return dict(options)
    here = Path.cwd()
    is_open = all(place.stat().st_mode & stat.S_IXOTH for place in here.parents)
    there = str(here) if is_open else "/src"  # the sandbox cannot make a folder below one that only its owner may enter
    return {**options, "volumes": (f"{here}:{there}:ro",), "workdir": there}


def _write(folder: Path, data: dict[str, Any]) -> Path:
    texts = {"report.json": report.as_json(data), "report.md": report.as_markdown(data), "report.html": report.as_html(data)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text)
    except OSError as error:
        raise OptionError(f"--report: cannot write to {folder}: {error.strerror}") from None
    return folder / "report.html"


def _say(text: str) -> None:
    sys.stderr.write(f"sandboxctl: {text}\n")


def _native_words(native: str | None, words: Sequence[str]) -> list[str]:
    return ["/bin/sh", "-c", native] if native is not None else list(words)


@click.pass_obj
def _test(
    context: Context,
    /,
    image: str | None,
    words: tuple[str, ...],
    native: str | None,
    repeat: int,
    form: str,
    results: str | None,
    report_folder: str | None,
    **options: Any,
) -> int:
    """Run TESTCOMMAND natively and in a new sandbox, N times each, and say which tests differ, of which class, and by which call.

    The tests are read from what the command prints (pytest -v or -rA, TAP, go test -json, cargo test, ctest), or from a file of
    --results (JUnit XML), else the exit status is the test. Without -v, --mount and -w the current folder is mounted read-only.
    A test that differs is run again alone under strace, natively and inside; install strace for that.
    Exit status: 0 if nothing differs, 3 if something does.

    \b
    Examples:
      sandboxctl compat test host -- python3 -m pytest -v -p no:cacheprovider
      sandboxctl compat test --repeat 3 --report out -v ./src:/src -w /src host -- go test -json ./...
      sandboxctl compat test --native 'make check' my/image:1 -- make check
    """
    for name in _UNUSED:
        if options.get(name):
            raise OptionError(f"--{name.replace('_', '-')} makes no sense with compat test; leave it out")
    config, what = checked(context, image, words, _with_place(options))
    argv = list(what.argv)
    timeout_s = what.timeout or _TIMEOUT_S
    suite = Suite(_native_words(native, argv), argv, repeat, form)
    places = Native(os.getcwd(), results, timeout_s), Inside(config, what, results, timeout_s)
    result = compare(suite, *places, _say)
    data = report.as_data(result, shlex.join(argv))
    click.echo(report.as_markdown(data), nl=False)
    if report_folder is not None:
        sys.stderr.write(f"sandboxctl: report in {_write(Path(report_folder), data)}\n")
    return EXIT_DIFFERS if result.findings else 0


command = click.Command(
    "test",
    params=[
        *run_command.params,
        click.Option(["--native"], metavar="CMD", help="The native command, for the shell, if it is another."),
        click.Option(["--repeat"], type=click.IntRange(1, 100), default=1, metavar="N", help="Runs in each place."),
        click.Option(["--format", "form"], type=click.Choice(_FORMS), default="auto"),
        click.Option(["--results"], metavar="FILE", help="Read the results from this file, that the command writes (JUnit)."),
        click.Option(["--report", "report_folder"], metavar="DIR", help="Write report.html, report.md and report.json there."),
    ],
    callback=_test,
    help=_test.__doc__,
    context_settings=run_command.context_settings,
)
