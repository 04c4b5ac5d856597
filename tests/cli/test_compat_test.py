"""`sandboxctl compat test` and `pytest --sandbox` on a project with one planted difference of each class."""

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SANDBOXCTL = Path(sys.executable).with_name("sandboxctl")
SAMPLE = Path(__file__).with_name("sample_project") / "planted.py"
PYTEST = ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-c", "settings.ini"]
VENV = Path(sys.prefix)
EXIT_DIFFERS = 3
IS_REACHABLE = all(place.stat().st_mode & stat.S_IXOTH for place in VENV.parents)
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt-get install strace")


@pytest.fixture
def project() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sample-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(SAMPLE, folder / "test_sample.py")
        (folder / "settings.ini").write_text("[pytest]\n")
        yield folder


def run(project, argv, **variables):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run(argv, cwd=project, env=environment, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout, done.stderr


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_planted_difference_is_named(project, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("data")
    options = ["-e", "PYTHONDONTWRITEBYTECODE=1", "-e", f"SAMPLE_FILE={outside}", "--ulimit", "nofile=64:64"]
    natively = ["--native", shlex.join([sys.executable, *PYTEST, "-v", "-rA"])]
    places = ["-v", f"{VENV}:/venv:ro", "-v", f"{project}:{project}:ro", "-w", str(project)]
    argv = [SANDBOXCTL, "compat", "test", "--repeat", "2", "--report", str(tmp_path), *natively, *options, *places, "host", "--"]
    argv += ["/venv/bin/python", *PYTEST, "-v", "-rA"]
    status, out, err = run(project, argv, SAMPLE_FILE=str(outside), SAMPLE_MARK=str(tmp_path / "mark"))
    assert status == EXIT_DIFFERS, err
    data = json.loads((tmp_path / "report.json").read_text())
    found = {one["test"].partition("::test_")[2]: one for one in data["differences"]}
    assert {name: one["class"] for name, one in found.items()} == {
        "missing_call": "missing call",
        "wrong_errno": "wrong errno",
        "missing_proc_file": "missing /proc file",
        "timing": "timing or clock",
        "race": "race that also fails natively",
        "resource_limit": "resource limit",
        "environment": "environment",
    }
    calls = {name: one["first_call"] for name, one in found.items()}
    assert calls["missing_call"].startswith("get_mempolicy(")
    assert calls["wrong_errno"].startswith("perf_event_open(")
    assert '"/proc/kallsyms"' in calls["missing_proc_file"]
    assert "EMFILE" in calls["resource_limit"]
    assert str(outside) in calls["environment"]
    assert calls["race"] == ""
    page = (tmp_path / "report.html").read_text()
    assert "missing call" in page
    assert "src=" not in page
    assert (tmp_path / "report.md").read_text() == out


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not IS_REACHABLE, reason="the environment is in a folder that only its owner may enter: no place for a mount")
def test_a_pytest_session_repeats_itself_inside(project):
    status, out, _ = run(project, [sys.executable, *PYTEST, "-q", "--sandbox", "-k", "sum or missing_call"])
    assert status == EXIT_DIFFERS, out
    assert "2 passed" in out
    assert "test_sample.py::test_missing_call: missing call" in out
    assert "2 tests, 1 pass in both, 1 differ" in out


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_makes_no_difference_exits_with_0(project):
    status, out, _ = run(project, [SANDBOXCTL, "compat", "test", "host", "--", "/bin/sh", "-c", "echo ok 1 - a; echo 1..1"])
    assert (status, "1 tests, 1 pass in both, 0 differ" in out) == (0, True)


def test_options_without_sense_are_refused(tmp_path):
    status, _, err = run(tmp_path, [SANDBOXCTL, "compat", "test", "--strace", "host", "--", "true"])
    assert (status, "--strace makes no sense" in err) == (125, True)
