"""`sandboxctl compat run`: what a program asked for, seen from outside."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SANDBOXCTL = Path(sys.executable).with_name("sandboxctl")


def compat_run(*words, status=0):
    done = subprocess.run([SANDBOXCTL, "compat", "run", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr
    return done


def test_the_report_names_calls_flags_errors_and_files(tmp_path):
    path = tmp_path / "needs.json"
    program = "cat /proc/self/stat >/dev/null; test -e /none; ulimit -n 100; exit 5"
    done = compat_run("--format", "json", "--report", str(path), "host", "--", "/bin/sh", "-c", program, status=5)
    assert (done.stdout, done.stderr) == ("", "")
    needs = json.loads(path.read_text())
    calls = {need["call"]: need for need in needs["calls"]}
    assert needs["exit_status"] == 5
    assert calls["newfstatat"]["errors"]["ENOENT"] >= 1
    assert {"O_RDONLY", "O_WRONLY"} <= set(calls["openat"]["words"])
    assert "RLIMIT_NOFILE" in calls["prlimit64"]["words"]
    assert calls["rt_sigaction"]["count"] > 1  # served by the host in an ordinary run
    assert calls["brk"]["level"] == "full"
    assert needs["files"]["/proc/self/stat"] == 1


@pytest.mark.parametrize(("levels", "status"), [("missing,stub", 0), ("full", 3)])
def test_fail_on(levels, status):
    done = compat_run("--fail-on", levels, "host", "--", "/bin/true", status=status)
    assert "calls: " in done.stderr.splitlines()[-1]


def test_a_call_that_is_refused_is_seen():
    program = "import ctypes; print(ctypes.CDLL(None).syscall(321, 0, 0, 0))"
    done = compat_run("--fail-on", "refused", "host", "--", "/usr/bin/python3", "-c", program, status=3)
    assert done.stdout == "-1\n"
    assert done.stderr.splitlines()[1].split()[:5] == ["bpf", "refused", "1", done.stderr.splitlines()[1].split()[3], "EPERM:1"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--fail-on", "bad", "host", "--", "true"], "--fail-on: 'bad' is no level"),
        (["--report", "/none/x", "host", "--", "true"], "--report: cannot write /none/x"),
        ([], "no image given"),
    ],
)
def test_bad_options(words, reason):
    done = compat_run(*words, status=125)
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1
