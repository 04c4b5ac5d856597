"""Starts a sandbox on each platform and measures what a trapped call costs in it."""

import os
import time
from dataclasses import dataclass

from sandboxctl.api import Sandbox
from sandboxctl.doctor.check import Check, Verdict
from sandboxctl.errors import SandboxError

MEMORY = "512m"
_ROUNDS = 3000
_TIMED = (
    "import os,time\n"
    "f=os.getppid\n"
    "for i in range(200): f()\n"
    "best=1<<60\n"
    "for k in range(5):\n"
    " t=time.perf_counter_ns()\n"
    f" for i in range({_ROUNDS // 5}): f()\n"
    " best=min(best,time.perf_counter_ns()-t)\n"
    f"print(best//{_ROUNDS // 5})"
)
_PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3")


@dataclass(frozen=True, slots=True)
class Trial:
    """How a platform did: ``error`` is one line if it did not start; times are None if they could not be measured."""

    platform: str
    error: str = ""
    layers: tuple[str, ...] = ()
    start_ms: float | None = None
    trap_ns: int | None = None


def attempt(platform: str, profile: str) -> Trial:
    """Return what happened when a sandbox was started on ``platform``."""
    begin = time.monotonic()
    try:
        with Sandbox("host", platform=platform, profile=profile, memory=MEMORY) as sandbox:
            result = sandbox.run(["/bin/true"], timeout=10)
            elapsed = (time.monotonic() - begin) * 1000
            if result.exit_code != 0:
                return Trial(
                    platform, f"/bin/true ended with {result.exit_code}: {result.stderr.decode(errors='replace').strip()}"
                )
            found = sandbox.info.get("layers", [])
            layers = tuple(str(name) for name in found) if isinstance(found, list) else ()
            return Trial(platform, "", layers, elapsed, _trap(sandbox))
    except SandboxError as error:
        return Trial(platform, str(error))


def _trap(sandbox: Sandbox) -> int | None:
    python = next((path for path in _PYTHONS if os.path.exists(path)), None)
    if python is None:
        return None
    result = sandbox.run([python, "-I", "-S", "-c", _TIMED], timeout=30)
    text = result.stdout.strip()
    return int(text) if result.exit_code == 0 and text.isdigit() else None


def check_memory(trials: list[Trial]) -> Check:
    """How ``--memory`` is kept here: seen in the sandboxes that started, each of which had a limit."""
    if any("memory" in trial.layers for trial in trials):
        return Check("memory limit", Verdict.OK, "the kernel's own (a control group)")
    return Check(
        "memory limit",
        Verdict.WEAKER,
        "no control group of ours: --memory is kept by per-process limits and our own accounting, which is weaker",
        "start as root, or with a delegated group: systemd-run --user --scope -p Delegate=yes sandboxctl ...",
    )
