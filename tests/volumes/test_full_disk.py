"""A volume whose disk is full: the same errors as natively, and what was synced is there."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guestlib.target import SandboxTarget

_TIMEOUT_S = 120
_PROGRAM = r"""
import errno, os
log, synced = os.open("log", os.O_CREAT | os.O_WRONLY, 0o644), 0
def attempt(what, act):
    try:
        print(what, act())
        return True
    except OSError as error:
        print(what, errno.errorcode[error.errno])
        return False
while True:
    try:
        count = os.write(log, b"x" * 65536)
    except OSError as error:
        print("full", errno.errorcode[error.errno])
        break
    os.fsync(log)
    synced += count
print("all synced", os.fstat(log).st_size >= synced, synced >= 1 << 20)
attempt("mkdir", lambda: os.mkdir("folder"))
new = os.open("new", os.O_CREAT | os.O_WRONLY, 0o644)
attempt("write", lambda: os.write(new, b"y" * 100000))
attempt("allocate", lambda: os.posix_fallocate(new, 0, 1 << 30))
attempt("symlink", lambda: os.symlink("log", "link"))
attempt("sparse", lambda: os.truncate("log", 1 << 28))
attempt("shrink", lambda: os.truncate("log", 10))
attempt("room again", lambda: os.write(new, b"z" * 5000))
attempt("sync", lambda: os.fsync(new))
print(open("log").read(), os.path.getsize("new"))
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    tmp_path.chmod(0o755)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=755", "full", tmp_path], capture_output=True, check=False)
    if os.geteuid() != 0 or done.returncode:
        pytest.skip("only root can mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


def test_a_full_disk_is_the_same_inside(disk: Path) -> None:
    target = SandboxTarget("notify")
    reason = target.unavailable()
    if reason:
        pytest.skip(f"notify: {reason}")
    argv = ["/usr/bin/python3", "-I", "-c", _PROGRAM]
    native = subprocess.run(argv, cwd=disk, capture_output=True, text=True, check=True, timeout=_TIMEOUT_S).stdout
    for name in ("log", "new", "link"):
        (disk / name).unlink()
    (disk / "folder").rmdir()
    with target.open(volumes=[f"{disk}:/v"]) as box:
        done = box.run(argv, cwd="/v", timeout=_TIMEOUT_S)
    assert bytes(done.stdout).decode() == native
    assert "full ENOSPC" in native
    assert "all synced True True" in native
