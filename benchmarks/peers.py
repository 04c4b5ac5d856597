# ruff: noqa: E501
"""The same work in another sandbox: gVisor's runsc on its systrap platform, where there is one (``$RUNSC`` or ``runsc`` in PATH)."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import ENVIRONMENT, BenchmarkError, Row, seconds

_FILES = 10_000
_FOLDERS = 100
_TIMEOUT_S = 300.0
_STREAM = """python3 -c '
import socket, threading
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(1)
def drain():
    end, _ = s.accept()
    while end.recv(1 << 16): pass
thread = threading.Thread(target=drain); thread.start()
c = socket.create_connection(s.getsockname()); block = bytes(1 << 16)
for i in range(8000): c.sendall(block)
c.close(); thread.join()
'"""
WORK: tuple[tuple[str, str], ...] = (
    ("find, 10^4 files", "find . -name '*7'"),
    ("du, 10^4 files", "du -s ."),
    ("grep -r, 10^4 files", "grep -r zzz . ; true"),
    ("tar, 10^4 files", "tar cf - . | cat"),
    ("git: 50 files", "cd $(mktemp -d) && git init -q g && cd g && for i in {1..50}; do echo $i > f$i; done && git add . && git -c user.name=a -c user.email=a@b commit -qm x && git status && git log"),
    ("shell: 100 programs", "for i in {1..100}; do /bin/true; done"),
    ("shell: 200 subshells", "for i in {1..200}; do (:); done"),
    ("python3 start", "python3 -S -c pass"),
    ("loopback TCP, 512 MiB", _STREAM),
)
#: prints the best of three runs in ns, after one that is not counted
_SCRIPT = """cd "$1" && best=
for round in 0 1 2 3; do
  begin=$(date +%s%N); ( eval "$2" ) >/dev/null 2>&1 || exit 1; end=$(date +%s%N)
  if [ $round -gt 0 ] && { [ -z "$best" ] || [ $((end - begin)) -lt "$best" ]; }; then best=$((end - begin)); fi
done
echo "$best" """


def _runsc() -> str | None:
    """A runsc that knows systrap, or None."""
    path = os.environ.get("RUNSC") or shutil.which("runsc")
    if path is None:
        return None
    trial = subprocess.run([*_command(path), "/bin/true"], capture_output=True, timeout=60, check=False)
    return path if trial.returncode == 0 else None


def _command(runsc: str) -> list[str]:
    return [runsc, "--platform=systrap", "--network=none", "--ignore-cgroups", "--rootless", "do"]


def _best_ns(command: list[str]) -> float:
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=_TIMEOUT_S, check=False)
    if done.returncode or not done.stdout.strip().isdigit():
        raise BenchmarkError(f"{command[0]}: {done.stderr.strip() or done.returncode}")
    return float(done.stdout)


def _start_ms(command: list[str]) -> float:
    """From the command line to the end of a program that does nothing."""

    def once() -> None:
        done = subprocess.run([*command, "/bin/true"], capture_output=True, text=True, env=ENVIRONMENT, timeout=_TIMEOUT_S, check=False)
        if done.returncode:
            raise BenchmarkError(f"{command[0]}: {done.stderr.strip() or done.returncode}")

    return seconds(once, 5) * 1000


def _plant(folder: Path) -> None:
    for number in range(_FOLDERS):
        (folder / f"d{number}" / "s").mkdir(parents=True)
        for other in range(_FILES // _FOLDERS):
            place = folder / f"d{number}" / ("s" if other % 2 else "")
            (place / f"f{other}").write_text(f"hello world {other}\n" * 20)


def peers(platform: str | None) -> Iterator[Row]:
    """Ours beside runsc's (in the column of the native figures), one workload after the other."""
    runsc = _runsc()
    if runsc is None:
        yield Row("peers", "runsc, systrap", "ms", None, note="no runsc that knows systrap: set RUNSC, or install a newer one")
        return
    ours = [f"{Path(sys.executable).parent}/sandboxctl", *(["--platform", platform] if platform else []), "run", "host", "--"]
    theirs_ms = _start_ms(_command(runsc))
    yield Row("peers", "start of /bin/true", "ms", _start_ms(ours), theirs_ms, note="to runsc systrap")
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _plant(folder)
        for title, work in WORK:
            tail = ["/bin/bash", "-c", _SCRIPT, "bench", name, work]
            theirs_ns = _best_ns([*_command(runsc), *tail])
            yield Row("peers", title, "ms", _best_ns([*ours, *tail]) / 1e6, theirs_ns / 1e6, note="to runsc systrap")
