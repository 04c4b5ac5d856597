"""Completion scripts and man pages."""

import shutil
import subprocess

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
