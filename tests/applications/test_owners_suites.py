"""`sandboxctl compat test` on small real projects, run by the test tools themselves: each has one test that cannot pass inside.

Long: `make test-applications`. What of the tools is not installed is skipped.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SANDBOXCTL = Path(sys.executable).with_name("sandboxctl")
PROJECTS = Path(__file__).with_name("owners")
EXIT_DIFFERS = 3
NODE = "node --test --test-reporter="
TO_FILE = "--test-reporter-destination=junit.xml"
#: project: format, programs, what is run first, command, and the names of both tests
SUITES = {
    "go": ("go", ["/usr/bin/go"], "", "go test -json ./...", "planted.TestSum", "planted.TestMissingFile"),
    "cargo": ("cargo", ["/usr/bin/cargo"], "", "cargo test --offline --lib", "tests::sum", "tests::missing_file"),
    "ctest": ("ctest", ["/usr/bin/ctest"], "cmake -S . -B build", "ctest --test-dir build", "sum", "missing_file"),
    "node": ("tap", ["/usr/bin/node"], "", f"{NODE}tap planted.test.mjs", "1 sum", "2 missing file"),
    "junit": ("junit", ["/usr/bin/node"], "", f"{NODE}junit {TO_FILE} planted.test.mjs", "test::sum", "test::missing file"),
}  # fmt: skip


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="owners-", dir="/var/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(os.environ.get("SANDBOXCTL_TIER") != "applications", reason="runs with: make test-applications")
@pytest.mark.parametrize("name", SUITES)
def test_the_difference_is_named(name: str, folder: Path) -> None:
    form, programs, before, command, good, bad = SUITES[name]
    missing = [program for program in programs if not Path(program).exists()]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    project = folder / "project"
    shutil.copytree(PROJECTS / ("node" if name == "junit" else name), project)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "GOFLAGS": "-mod=mod"}
    if before:
        subprocess.run(before.split(), cwd=project, env=environment, check=True, capture_output=True, timeout=300)
    options = ["--report", str(folder), "-v", f"{project}:{project}", "-w", str(project), "-e", "HOME=/tmp"]
    options += ["-e", "GOFLAGS=-mod=mod"]
    options += ["--results", "junit.xml"] if name == "junit" else []
    argv = [SANDBOXCTL, "compat", "test", *options, "host", "--", *command.split()]
    done = subprocess.run(argv, cwd=project, env=environment, capture_output=True, text=True, timeout=1000, check=False)
    assert done.returncode == EXIT_DIFFERS, done.stdout + done.stderr
    report = json.loads((folder / "report.json").read_text())
    assert report["format"] == form
    assert report["totals"]["pass in both"] == 1
    assert [test["test"] for test in report["tests"] if test["sandbox"] == ["pass"]] == [good]
    (found,) = report["differences"]
    assert (found["test"], found["class"]) == (bad, "missing /proc file")
    assert '"/proc/kallsyms"' in found["first_call"]
