"""The wheel holds the C core and the stub, has exactly our four names, and runs where there is no compiler."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("sandboxctl", "sentry", "gofer", "syscalls")
BUILD_FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
DEPENDENCIES = ("click", "cffi", "pycparser", "pyseccomp", "_cffi_backend")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, so that nothing is left in the work tree."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in PARTS:
        shutil.copytree(
            ROOT / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.o", "_native.c")
        )
    for name in BUILD_FILES:
        shutil.copy(ROOT / name, folder / "source" / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        folder,
        ".",
    ]
    done = subprocess.run(command, cwd=folder / "source", capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    (made,) = folder.glob("*.whl")
    return made


@pytest.mark.slow
def test_contents(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PARTS)
    assert any(name.startswith("sentry/platform/_core/_native.") for name in names)
    assert {"sentry/platform/_core/exec.stub", "sandboxctl/init/init.guest"} <= set(names)
    assert any(name.startswith("gofer/_sys/_native.") for name in names)
    assert not [name for name in names if name.startswith("tests/") or name.endswith((".o", ".c"))]


@pytest.mark.slow
def test_runs_without_a_compiler(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    source = Path(next(path for path in sys.path if path.endswith("site-packages")))
    for item in source.iterdir():
        if item.name.partition(".")[0] in DEPENDENCIES:
            (site / item.name).symlink_to(item)
    target = ["--no-deps", "--no-index", "--target", site, wheel]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", *target], check=True)
    python = tmp_path / "venv/bin/python"
    environment = {"PATH": str(tmp_path / "nothing"), "HOME": "/nonexistent"}
    code = "import sandboxctl.cli.main as m; print(m.__file__, flush=True); m.main()"
    command = [python, "-I", "-c", code, "run", "host", "--", "/bin/echo", "it runs"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    where, words = done.stdout.decode().splitlines()
    assert words == "it runs"
    assert where.startswith(os.fspath(site))
