"""Fixtures for tests with whole images: a store of their own, and the command line as root and as an ordinary user."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guestlib import images

COMMAND = [sys.executable, "-m", "sandboxctl.cli.main"]
ORDINARY = 1001


class Tool:
    """The command line with a store below ``home``; as an ordinary user if ``uid`` is given."""

    def __init__(self, home, uid=None):
        self.home = Path(home)
        self.store = self.home / "store"
        self.uid = uid
        places = {"SANDBOXCTL_STORE": self.store, "HOME": self.home, "XDG_RUNTIME_DIR": self.home}
        self.environment = {**os.environ, **{name: str(path) for name, path in places.items()}}
        if uid is not None:
            os.chown(home, uid, uid)

    def start(self, *words, **more):
        identity = {} if self.uid is None else {"user": self.uid, "group": self.uid, "extra_groups": []}
        environment = {**self.environment, **more.pop("env", {})}
        return subprocess.Popen([*COMMAND, *map(str, words)], env=environment, cwd=more.pop("cwd", "/"), **identity, **more)

    def __call__(self, *words, check=0, stdin=b"", timeout=60, **more):
        process = self.start(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        try:
            out, errors = process.communicate(stdin, timeout)
        except BaseException:
            process.kill()
            raise
        if check is not None:
            assert process.returncode == check, errors.decode(errors="replace")
        return subprocess.CompletedProcess(words, process.returncode, out, errors)

    def text(self, *words, **more):
        return self(*words, **more).stdout.decode()


@pytest.fixture
def tool(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Tool(home)


@pytest.fixture(params=["caller", "ordinary"])
def either(request, tmp_path):
    """The caller, who may be root, and an ordinary user."""
    home = tmp_path / "home"
    home.mkdir()
    if request.param == "caller":
        return Tool(home)
    if os.geteuid() != 0:
        pytest.skip("the caller is an ordinary user already")
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_mode & 0o5 != 0o5:
            parent.chmod(parent.stat().st_mode | 0o5)
    return Tool(home, ORDINARY)


@pytest.fixture(scope="session")
def needs_busybox():
    if images.BUSYBOX is None:
        pytest.skip("no busybox: apt-get install busybox-static")


def need(*programs):
    """Skip the test, with the reason, unless the programs are here."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: apt-get install {program}")
