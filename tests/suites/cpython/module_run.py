"""One run of a module, natively or in a sandbox: which methods had which outcome."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.guestlib.target import ENVIRONMENT, NativeTarget, Outcome, SandboxTarget

PYTHON = "/usr/bin/python3"
RUNNER = Path(__file__).with_name("run_module.py")
TIMEOUT_S = 900
_BAD = ("fail", "error")


@cache
def unavailable() -> str | None:
    """Return why the tests cannot run here, or None."""
    done = subprocess.run([PYTHON, "-c", "import test.test_os"], capture_output=True, check=False, timeout=60)
    return "not installed: libpython3.11-testsuite" if done.returncode else None


@dataclass
class ModuleRun:
    """Outcome of each method; one that began and has no other line ended the interpreter, or hung."""

    outcome: Outcome
    methods: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, outcome: Outcome, results: Path) -> "ModuleRun":
        """Return the run whose lines stand in ``results``. A method that failed in a part has failed."""
        methods: dict[str, str] = {}
        for line in results.read_text(errors="replace").splitlines() if results.exists() else ():
            what, _, name = line.partition("\t")
            if methods.get(name) not in _BAD:
                methods[name] = what
        return cls(outcome, methods)

    def passed(self) -> set[str]:
        """Return the ids of the methods that passed (or failed as their authors expect)."""
        return {name for name, outcome in self.methods.items() if outcome in ("pass", "expected")}


def run_natively(module: str, methods: tuple[str, ...] = ()) -> ModuleRun:
    """Run it on the host, with no more capabilities than in a sandbox."""
    with tempfile.TemporaryDirectory(prefix="suite-", dir="/tmp") as folder:
        runner = Path(folder) / RUNNER.name
        shutil.copyfile(RUNNER, runner)
        results = Path(folder) / "results"
        Path(folder).chmod(0o777)
        bounded = ["setpriv", "--bounding-set", "-sys_time,-sys_boot,-sys_module,-sys_admin"] if os.getuid() == 0 else []
        argv = [*bounded, PYTHON, str(runner), str(results), str(TIMEOUT_S), module, *methods]
        outcome = NativeTarget().run(argv, timeout_s=TIMEOUT_S + 60, env=ENVIRONMENT)
        return ModuleRun.read(outcome, results)


def run_inside(target: SandboxTarget, module: str, methods: tuple[str, ...] = ()) -> ModuleRun:
    """Run it in a sandbox of its own on the platform of ``target``."""
    with tempfile.TemporaryDirectory(prefix="suite-", dir="/tmp") as folder:
        shutil.copyfile(RUNNER, Path(folder) / RUNNER.name)
        Path(folder).chmod(0o777)
        argv = [PYTHON, f"/suite/{RUNNER.name}", "/suite/results", str(TIMEOUT_S), module, *methods]
        with target.open(volumes=[f"{folder}:/suite"]) as sandbox:
            outcome = target.run(sandbox, argv, timeout_s=TIMEOUT_S + 60)
        return ModuleRun.read(outcome, Path(folder) / "results")
