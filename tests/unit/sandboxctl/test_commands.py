"""The commands that only print: their output is complete, their examples are there, and none starts a sandbox by accident."""

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from sandboxctl.cli.commands import Context, cli
from sandboxctl.cli.table import columns
from sandboxctl.doctor import kernel
from sandboxctl.doctor.check import Verdict
from syscalls.abi.nr_x86_64 import NAMES


def invoke(*words):
    done = CliRunner().invoke(cli, words, obj=Context(None), standalone_mode=False, catch_exceptions=False)
    return done.output


def refused(*words):
    with pytest.raises(click.ClickException) as caught:
        invoke(*words)
    return caught.value.format_message()


@pytest.mark.parametrize(
    "words", ["", "run", "doctor", "host-surface", "compat", "compat list", "compat show", "compat run", "version"]
)
def test_help_has_examples(words):
    text = CliRunner().invoke(cli, [*words.split(), "--help"], obj=Context(None)).output
    assert "Example" in text
    assert "sandboxctl" in text


@pytest.mark.parametrize("profile", ["default", "strict"])
def test_host_surface(profile):
    rows = json.loads(invoke("--profile", profile, "host-surface", "--format", "json"))
    assert {row["process"] for row in rows} == {"guest", "sentry", "gofer"}
    assert all(set(row) == {"process", "call", "action", "condition", "reason"} for row in rows)
    assert all(row["reason"] for row in rows)
    assert "recvfrom" in invoke("host-surface", "--process", "gofer")


def test_compat():
    rows = json.loads(invoke("compat", "list", "read", "bpf", "--format", "json"))
    assert [row["name"] for row in rows] == ["read", "bpf"]
    assert rows[1]["level"] == "refused"
    assert f"{len(NAMES)} calls: " in invoke("compat", "list")
    shown = invoke("compat", "show", "read", "fcntl")
    assert shown.startswith("read (0)\n  level:      full: ")
    assert "F_DUPFD_CLOEXEC" in shown
    assert "no such system call: rread" in refused("compat", "show", "rread")


def test_version():
    assert invoke("version").startswith("sandboxctl ")


def test_host_checks_have_remedies():
    checks = kernel.look()
    assert len({check.name for check in checks}) == len(checks) >= 8
    for check in checks:
        assert check.text
        assert check.verdict is Verdict.OK or check.remedy


def test_no_user_namespaces(monkeypatch):
    monkeypatch.setattr(kernel.proc_files, "read", lambda path: "0" if path.endswith("max_user_namespaces") else None)
    check = kernel.check_user_namespaces()
    assert check.verdict is Verdict.WEAKER
    assert "max_user_namespaces" in check.remedy


@pytest.mark.parametrize(
    ("release", "verdict"),
    [("5.8.0", Verdict.WEAKER), ("5.10.0-debian", Verdict.WEAKER), ("6.1.0", Verdict.WEAKER), ("6.6.1", Verdict.OK)],
)
def test_kernel_versions(monkeypatch, release, verdict):
    monkeypatch.setattr(kernel.platform, "release", lambda: release)
    assert kernel.check_notification().verdict is verdict


def test_columns_wrap_the_last_one_only():
    lines = list(columns(("a", "b"), [("x", "word " * 60)], is_terminal=False))
    assert len(lines) > 2
    assert all(len(line) <= 160 for line in lines)


def test_help_starts_no_sentry():
    code = (
        "import sys; sys.argv[1:] = ['run', '--help']\n"
        "import os; os.posix_spawn = None\n"
        "from sandboxctl.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30)
    assert done.returncode == 0


def test_run_imports_nothing_heavy():
    code = (
        "import sys, sandboxctl.cli.run\n"
        "print([name for name in ('rich', 'json', 'asyncio', 'logging', 'ctypes', 'argparse') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=True)
    assert done.stdout.strip() == b"[]"
