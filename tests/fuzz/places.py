"""Runs cases natively, always as an unprivileged user in a scratch folder, and in a sandbox as the same user."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

SOURCE = Path(__file__).with_name("runner.c")
BUILD = Path(__file__).resolve().parents[2] / "build" / "fuzz"
NOBODY = 65534
#: a native case that takes longer counts as blocked and is not judged
_NATIVE_S = "2"
_INSIDE_S = "120"
_LIMIT_S = 1200


def runner() -> Path:
    """The runner, built."""
    path = BUILD / f"runner-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}"
    if not path.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O1", "-static", "-o", path.with_suffix(".new"), SOURCE], check=True)
        path.with_suffix(".new").rename(path)
    return path


def _parsed(output: str) -> dict[str, str]:
    return {line.partition(" ")[0]: line.partition(" ")[2] for line in output.splitlines()}


def native(cases: str) -> dict[str, str]:
    """Result lines by case. Never as root: with namespaces of its own where we are root, else as whoever we are."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/var/tmp"))
    program = folder / "runner"
    shutil.copy(runner(), program)
    scratch = folder / "scratch"
    scratch.mkdir()
    argv = [str(program), _NATIVE_S]
    if os.getuid() == 0:
        folder.chmod(0o755)
        os.chown(scratch, NOBODY, NOBODY)
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--bounding-set=-all", "--no-new-privs"]
        argv = ["unshare", "--ipc", "--net", "--pid", "--uts", "--fork", "--kill-child", "--", *drop, "--", *argv]
    try:
        # a group of its own: getpriority(2) and ioprio_get(2) tell the best of the whole group, the caller's included
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
        done = subprocess.run(argv, cwd=scratch, input=cases, text=True, timeout=_LIMIT_S, check=False, **pipes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert done.returncode == 0, done.stderr
    return _parsed(done.stdout)


class Inside:
    """One sandbox for many runs."""

    def __init__(self, platform: str | None = None) -> None:
        self._platform = platform
        self._runs = 0

    def __enter__(self) -> Self:
        from sandboxctl import Sandbox

        self._sandbox: Any = Sandbox("host", platform=self._platform, volumes=[f"{runner()}:/runner:ro"]).__enter__()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._sandbox.close()

    def run(self, cases: str) -> dict[str, str]:
        """Result lines by case."""
        self._runs += 1
        folder = f"/tmp/fuzz-{self._runs}"
        assert self._sandbox.run(["/bin/mkdir", "-m", "777", folder], timeout=_LIMIT_S).exit_code == 0
        user = f"{NOBODY}:{NOBODY}" if os.getuid() == 0 else None
        done = self._sandbox.run(
            ["/runner", _INSIDE_S], input=cases.encode(), cwd=folder, timeout=_LIMIT_S, user=user
        )
        assert done.exit_code == 0, done.stderr.decode()
        return _parsed(done.stdout.decode())
