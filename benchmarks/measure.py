"""Runs the same work natively and in one sandbox and gives both figures; one module knows how, the groups know what."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "benchmarks"
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/tmp", "LANG": "C.UTF-8"}
_TIMEOUT_S = 120.0


class BenchmarkError(Exception):
    """The work failed; its figure would mean nothing."""


@dataclass(frozen=True)
class Row:
    """One line of the table. ``native`` is None where only the sandbox's own figure counts."""

    group: str
    name: str
    unit: str
    sandbox: float | None
    native: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Sandbox to native."""
        return self.sandbox / self.native if self.native and self.sandbox is not None else None


def compiled(source: str) -> Path:
    """Return the binary of a C file in this folder; it is built when it is older than its source."""
    path, target = ROOT / "benchmarks" / source, BUILD / Path(source).stem
    if not target.exists() or target.stat().st_mtime < path.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O2", "-pthread", "-Wall", "-Wextra", str(path), "-o", str(target)], check=True)
    return target


class Native:
    """Work on the host, in a fresh folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def run(self, argv: Sequence[str]) -> str:
        """Run a command and return its output. Raises BenchmarkError."""
        done = subprocess.run(
            argv, cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
        if done.returncode:
            raise BenchmarkError(f"natively: {done.stderr.strip() or done.returncode}")
        return done.stdout


class Boxed:
    """Work in a running sandbox, in a fresh folder of its own."""

    def __init__(self, box: Any) -> None:
        self.box = box
        self.folder = "/tmp/sandboxctl-benchmarks"
        self.box.run(["/bin/mkdir", "-p", self.folder], timeout=_TIMEOUT_S)

    def run(self, argv: Sequence[str]) -> str:
        """Run a command and return its output. Raises BenchmarkError."""
        result = self.box.run(list(argv), env=ENVIRONMENT, cwd=self.folder, timeout=_TIMEOUT_S)
        if result.exit_code:
            raise BenchmarkError(
                f"in the sandbox: exit status {result.exit_code}: {result.stderr.decode(errors='replace').strip()[-300:]}"
            )
        return str(result.stdout.decode())


Target = Native | Boxed


def seconds(work: Callable[[], object], rounds: int = 3) -> float:
    """Return the shortest of several runs, after one that is not counted."""
    work()
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def both(platform: str | None, body: Callable[[Target], dict[str, float]]) -> tuple[dict[str, float], dict[str, float]]:
    """Run ``body`` natively and in a sandbox; return both results."""
    from sandboxctl import Sandbox

    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        native = body(Native(folder))
    BUILD.mkdir(parents=True, exist_ok=True)
    with Sandbox("host", platform=platform, volumes=[f"{BUILD}:{BUILD}:ro"]) as box:
        return native, body(Boxed(box))


def pss_bytes(pid: int) -> int:
    """A process's memory, what it shares counted in shares (proc(5), smaps_rollup, Pss)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) << 10


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
