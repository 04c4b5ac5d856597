"""Completion scripts and man pages."""

import re
import shlex
import shutil
import subprocess

import click
import pytest
from click.testing import CliRunner

from sandboxctl.cli.commands import Context, cli


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    done = CliRunner().invoke(cli, ["completion", shell], obj=Context(None))
    assert done.exit_code == 0
    assert f"_SANDBOXCTL_COMPLETE={shell}_complete" in done.output


@pytest.mark.slow
def test_every_command_has_a_page_that_troff_takes(tmp_path):
    done = CliRunner().invoke(cli, ["man", str(tmp_path)], obj=Context(None), catch_exceptions=False)
    assert done.exit_code == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert {"sandboxctl.1", "sandboxctl-run.1", "sandboxctl-volume-create.1"} <= names
    text = (tmp_path / "sandboxctl-pause.1").read_text()
    assert ".SH NAME\nsandboxctl\\-pause \\- Let all programs" in text
    if shutil.which("groff") is None:
        pytest.skip("needs Debian's package groff-base")
    pages = [tmp_path / f"sandboxctl{name}.1" for name in ("", "-run", "-cp", "-compat-run")]
    assert subprocess.run(["groff", "-man", "-ww", "-z", *pages], capture_output=True, timeout=100, check=True).stderr == b""


def _tree(found, names, context):
    yield names, found
    if isinstance(found, click.Group):
        for name in found.list_commands(context):
            yield from _tree(found.get_command(context, name), [*names, name], context)


def test_every_command_has_an_example_that_it_understands():
    context = click.Context(cli, obj=Context(None))
    for names, found in _tree(cli, [], context):
        shown = [part.strip() for line in (found.help or "").splitlines() for part in re.split(r"&& |\| ", line)]
        lines = [part for part in shown if part.startswith("sandboxctl ")]
        assert lines, f"sandboxctl {' '.join(names)} has no example"
        for line in lines:
            _parse(shlex.split(re.split(r" (?:>|<|2>|&)", line)[0])[1:])


def _parse(words):
    """Find the command of an example and let it read the words; nothing is run, no value looked at."""
    found, context = cli, click.Context(cli, obj=Context(None))
    while isinstance(found, click.Group):
        _, rest, _ = found.make_parser(context).parse_args(list(words))
        name, found, words = found.resolve_command(context, rest)
        context = click.Context(found, parent=context, info_name=name, obj=Context(None), **found.context_settings)
    if found.name != "do":  # reads its words itself
        _, rest, _ = found.make_parser(context).parse_args(list(words))
        assert not rest, words
