"""Applications, natively and in the sandbox: the same script checks its own answers and must print the same in both.

``make test`` runs a sample; ``make test-applications`` all, and keeps the results.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from syscalls.compat.applications import PASS, declared
from tests.guestlib.target import ENVIRONMENT, NativeTarget, Outcome, SandboxTarget

FOLDER = Path(__file__).parent
PREPARED = Path(os.environ.get("SANDBOXCTL_PREPARED", FOLDER.parents[1] / "build" / "applications"))
SAMPLE = ("lua", "git")
_EVERYTHING = os.environ.get("SANDBOXCTL_TIER") == "applications"
_CHOSEN = [entry for entry in declared() if _EVERYTHING or entry["test"] in SAMPLE]
_RECORD = os.environ.get("SANDBOXCTL_TIER_RECORD")
_TIMEOUT_S = 240
_SLOWER = 4


def note(test: str, native: str, sandbox: str) -> None:
    """Keep a result for the evidence file."""
    if _RECORD:
        with open(_RECORD, "a") as file:
            file.write(json.dumps({"application": test, "native": native, "sandbox": sandbox}) + "\n")


def prepare(test: str) -> Path:
    """What the application needs from outside, fetched once; the folder is there for every application."""
    folder = PREPARED / test
    folder.mkdir(parents=True, exist_ok=True)
    script = FOLDER / f"{test}.prepare.sh"
    done = folder / ".done"
    if script.exists() and not (done.exists() and done.read_text() == script.read_text()):
        command = ["/bin/bash", "-eu", "-o", "pipefail", str(script)]
        environment = {**os.environ, "PYTHON": sys.executable}
        process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1200, check=False)
        if process.returncode != 0:
            pytest.skip(f"cannot prepare: {process.stderr.strip().splitlines()[-1:]}")
        done.write_text(script.read_text())
    return folder


def missing(entry: dict[str, Any]) -> str:
    """What is not installed, or an empty text."""
    path = ENVIRONMENT["PATH"]
    wanted = [name for name in entry.get("needs", []) if not (shutil.which(name, path=path) or Path(name).exists())]
    return ", ".join(wanted)


def script_of(test: str, prepared: str) -> list[str]:
    """The command line that runs an application's script."""
    prelude = (FOLDER / "prelude.sh").read_text()
    return ["/bin/bash", "-c", f"PREPARED={prepared}\n{prelude}{(FOLDER / f'{test}.sh').read_text()}"]


def in_sandbox(target: SandboxTarget, test: str, prepared: Path, timeout_s: float) -> Outcome:
    """Run it in a sandbox of its own."""
    with target.open(volumes=[f"{prepared}:/prepared:ro"]) as sandbox:
        return target.run(sandbox, script_of(test, "/prepared"), timeout_s=timeout_s)


@pytest.mark.slow
@pytest.mark.timeout(6000)
@pytest.mark.parametrize("entry", _CHOSEN, ids=lambda entry: entry["test"])
def test_application(entry: dict[str, Any], laboratory: Any) -> None:
    test = entry["test"]
    if missing(entry):
        pytest.skip(f"not installed: {missing(entry)}")
    if entry.get("root") and os.getuid() != 0:
        pytest.skip("its native run needs root")
    prepared = prepare(test)
    limit = entry.get("timeout_s", _TIMEOUT_S)
    native = NativeTarget().run(script_of(test, str(prepared)), timeout_s=limit, net=True)
    if native.exit_code != 0:
        note(test, f"exit status {native.exit_code}", "not run")
    assert native.exit_code == 0, native.report()
    assert native.stdout, "prints no answers"
    target = laboratory.platforms["notify"]
    reason = target.unavailable()
    if reason:
        pytest.skip(f"notify: {reason}")
    outcome = in_sandbox(target, test, prepared, limit * _SLOWER)
    is_equal = outcome.seen() == native.seen()
    note(test, PASS, PASS if is_equal else f"differs, exit status {outcome.exit_code}")
    if entry["verdict"] == "no":
        assert not is_equal, "it works now: raise the verdict in applications.yml"
        return
    assert outcome.stdout.decode(errors="replace") == native.stdout.decode(errors="replace"), outcome.report()
    assert outcome.exit_code == native.exit_code, outcome.report()


def test_each_script_belongs_to_an_application() -> None:
    tests = {entry["test"] for entry in declared()}
    assert {path.name.split(".")[0] for path in FOLDER.glob("*.sh")} - {"prelude"} == tests


def test_declarations_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "applications.yml"
    path.write_text('- {name: a, test: a, version: "1", category: c, verdict: "partial", exercised: e}\n')
    with pytest.raises(ValueError, match="notes must say"):
        declared(path)
