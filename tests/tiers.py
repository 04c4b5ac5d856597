"""make test-suites, test-engines, test-applications, ...: whole test tiers, too long for every change.

Each run leaves a dated evidence file in ``tests/evidence/<tier>/``: what ran, where, with which result. A tier without tests says
so and fails: no evidence must never look like good evidence. ``make test`` holds a sample of every tier that has tests.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: tier -> the folders below tests/ that hold it
TIERS = {
    "suites": ("suites",),
    "engines": ("oci", "engines", "cli/test_do.py"),
    "applications": ("applications",),
    "places": ("places",),
    "network": ("network",),
    "strict": ("syscalls", "programs"),
}
#: what a tier says to pytest beside its folders
OPTIONS = {"strict": ("--profile", "strict")}


def evidence(tier: str, status: int, output: str, details: list[object], arguments: list[str]) -> Path:
    """Write the evidence file of a run and return its path."""
    now = datetime.now(tz=UTC)
    folder = ROOT / "tests" / "evidence" / tier
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y-%m-%dT%H%M%SZ}.json"
    lines = output.strip().splitlines()
    record = {
        "tier": tier,
        "date": now.isoformat(timespec="seconds"),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **({"arguments": arguments} if arguments else {}),
        "exit_status": status,
        "summary": lines[-1] if lines else "",
        "failures": [line for line in lines if line.startswith(("FAILED", "ERROR"))],
        **({"details": details} if details else {}),
    }
    path.write_text(json.dumps(record, indent=1) + "\n")
    return path


def main() -> int:
    """Run a tier; return pytest's status, or 1 for a tier without tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tier", choices=TIERS)
    parser.add_argument("arguments", nargs="*", help="for pytest")
    options, rest = parser.parse_known_args()
    folders = [ROOT / "tests" / name for name in TIERS[options.tier]]
    if not any(list(folder.glob("**/test_*.py")) for folder in folders):
        print(f"{options.tier}: no tests yet (they belong in tests/{folders[0].name}/); no evidence was written", file=sys.stderr)
        return 1
    chosen = [*options.arguments, *rest]
    command = [sys.executable, "-m", "pytest", "-q", *map(str, folders), *OPTIONS.get(options.tier, ()), *chosen]
    notes = tempfile.NamedTemporaryFile(mode="r", prefix="tier-", suffix=".jsonl")
    environment = {**os.environ, "SANDBOXCTL_TIER": options.tier, "SANDBOXCTL_TIER_RECORD": notes.name}
    if options.tier == "engines":
        environment["SANDBOXCTL_ENGINES"] = "1"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes) as process:
        assert process.stdout is not None
        kept = []
        for line in process.stdout:
            kept.append(line)
            print(line, end="", flush=True)
    details = [json.loads(line) for line in notes]
    print(f"evidence: {evidence(options.tier, process.returncode, ''.join(kept), details, chosen).relative_to(ROOT)}")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
