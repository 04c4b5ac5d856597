"""Everything dies together: SIGKILL of any of the processes leaves no process, mount or file behind."""

import contextlib
import os
import select
import signal
from pathlib import Path

import pytest

from sandboxctl.errors import SandboxError
from tests.security.conftest import Running

pytestmark = pytest.mark.security

_DEADLINE_S = 60
_OUR_ERROR = 125


def _await_ends(pids: list[int]) -> list[int]:
    """Wait until all are gone; return those that are not by the deadline."""
    left = []
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([fd], [], [], _DEADLINE_S)[0]:
                left.append(pid)
        finally:
            os.close(fd)
    return left


def _temporary_files() -> set[str]:
    return {str(path) for folder in ("/tmp", "/dev/shm", "/run") for path in Path(folder).glob("*sandboxctl*")}


def _mounts() -> str:
    return Path("/proc/self/mounts").read_text()


@pytest.mark.parametrize("victim", ["sentry", "gofer", "guest", "spawner"])
def test_sigkill_of(running: Running, victim: str) -> None:
    mounts, files = _mounts(), _temporary_files()
    everyone = running.family.all
    target = getattr(running.family, victim)[0]
    os.kill(target, signal.SIGKILL)
    if victim == "guest":  # one guest is not the sandbox: the program ends as by SIGKILL, the rest goes with the sandbox
        running.box.close()
    else:
        with contextlib.suppress(SandboxError):  # whatever is told first: the program's end by SIGKILL, or that of the sandbox
            assert running.process.wait(timeout=_DEADLINE_S) == 128 + signal.SIGKILL
            assert running.box.run(["/bin/true"], timeout=_DEADLINE_S).exit_code == _OUR_ERROR
        running.box.close()
    assert _await_ends(everyone) == []
    assert _mounts() == mounts
    assert _temporary_files() <= files


def test_close_ends_everything(running: Running) -> None:
    running.box.close()
    assert _await_ends(running.family.all) == []


def test_the_caller_dies(tmp_path: Path) -> None:
    """SIGKILL of the command line itself."""
    import subprocess
    import sys

    from tests.security.processes import family

    command = [
        f"{Path(sys.executable).parent}/sandboxctl",
        "run",
        "host",
        "--",
        "/bin/sh",
        "-c",
        "echo ready; while :; do /bin/true; done",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == b"ready\n"
        everyone = family(caller.pid).all
        assert len(everyone) >= 4
        caller.kill()
        assert _await_ends(everyone) == []
