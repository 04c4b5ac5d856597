"""Guests that attack: foreign entry points, corrupted memory, races, random calls. The sandbox answers, and goes on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.guestlib.program import BUILD, Program
from tests.guestlib.target import SandboxTarget
from tests.security.conftest import Running

pytestmark = pytest.mark.security

_SIGNAL_EVERYBODY = """
import os
for pid in range(2, 3000):
    if pid != os.getpid():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        print(pid)
"""
_SOURCE = Path(__file__).parent / "hostile.c"


@pytest.fixture(scope="module")
def hostile() -> Path:
    return Program.read(_SOURCE).build()


@pytest.fixture
def box(platform: SandboxTarget, hostile: Path) -> Iterator[Any]:
    with platform.open(volumes=[f"{BUILD}:/guests:ro"], pids_limit="64") as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    "attempt",
    [
        "x32",
        "i386",
        "wild-jumps",
        "bad-stack",
        "random-calls",
        "racing-path",
        "racing-exec",
        "racing-filter",
        "trace-me",
        "reserved-descriptors",
        "fork-bomb",
    ],
)
def test_attempt(box: Any, hostile: Path, attempt: str) -> None:
    result = box.run([f"/guests/{hostile.name}", attempt], timeout=30)
    assert not result.timed_out, attempt
    if attempt in ("x32", "i386"):
        assert result.exit_code in (0, 128 + signal.SIGSYS), (result.exit_code, result.stdout)
    else:
        assert result.exit_code == 0, (result.exit_code, result.stdout, result.stderr)
    alive = box.run(["/bin/echo", "alive"], timeout=30)
    assert alive.stdout == b"alive\n"


def test_a_guest_that_unmaps_itself(box: Any, hostile: Path) -> None:
    result = box.run([f"/guests/{hostile.name}", "unmap-everything"], timeout=30)
    assert result.exit_code in (128 + signal.SIGSEGV, 128 + signal.SIGKILL, 1)
    assert box.run(["/bin/echo", "alive"], timeout=30).stdout == b"alive\n"


def test_the_sentry_is_not_in_sight(box: Any) -> None:
    """No process of the host has a number inside, none can be signalled."""
    result = box.run(["/usr/bin/python3", "-c", _SIGNAL_EVERYBODY], timeout=60)
    assert result.exit_code == 0, result.stderr.decode()
    assert result.stdout == b"", result.stdout.decode()


def test_only_listed_calls_were_continued(platform: SandboxTarget, hostile: Path) -> None:
    """The sentry counts what it lets through; each must be in the host surface of the guest."""
    from sandboxctl.cli.host_surface import rows

    listed = {row["call"] for row in rows("default") if row["process"] == "guest"}
    with platform.open(volumes=[f"{BUILD}:/guests:ro"]) as box:
        box.run(["/bin/bash", "-c", "for i in 1 2 3; do (ls / | wc -l); done; sleep 0 & wait; kill -0 $$"], timeout=30)
        box.run(
            [
                "/usr/bin/python3",
                "-c",
                "import threading, mmap; t = threading.Thread(target=print); t.start(); t.join(); mmap.mmap(-1, 10)",
            ],
            timeout=30,
        )
        box.run([f"/guests/{hostile.name}", "random-calls"], timeout=30)
        counts = box.continued_calls()
    assert counts
    assert set(counts) <= listed, set(counts) - listed


def test_no_uncached_file_opens_without_the_gofer(running: Running, tmp_path: Path) -> None:
    """With the gofer stopped, a program cannot open a file that nobody has opened: nothing else reaches host files."""
    name = "/usr/share/doc/bash/copyright" if Path("/usr/share/doc/bash/copyright").exists() else "/etc/fstab"
    running.box.run(["/bin/cat", "/etc/hostname"], timeout=20)
    for pid in running.family.gofer:
        os.kill(pid, signal.SIGSTOP)
    try:
        result = running.box.run(["/bin/cat", name], timeout=1.5)
        assert result.timed_out or result.exit_code != 0
        assert result.stdout == b""
    finally:
        for pid in running.family.gofer:
            os.kill(pid, signal.SIGCONT)
    assert running.box.run(["/bin/cat", name], timeout=30).exit_code == 0
