"""make evidence: runs every differential program natively and on each platform and records the results and what was used.

Writes compat-matrix/evidence/syscalls.json, from which the matrix is made. A program that has not changed since is not run again,
unless ``--all``. What a program used is seen in profile ``strict``, where every call reaches the sentry; calls that any program
makes (its loader's) count only if the program's text names them.
"""

import argparse
import hashlib
import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from syscalls.abi import errno as errnos
from syscalls.compat import words
from syscalls.compat.evidence import PASS, TARGETS, load, named_in
from syscalls.compat.tables import untried
from tests import refusals
from tests.guestlib.program import SUFFIXES, Program
from tests.guestlib.target import ENVIRONMENT, NativeTarget, Outcome, SandboxTarget

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ROOT / "tests" / "syscalls"
FILE = ROOT / "compat-matrix" / "evidence" / "syscalls.json"
#: what no profile can trap counts if the text names it
UNTRAPPED = frozenset(("rt_sigreturn", "exit", "exit_group"))
#: a call whose success is an error number: io_cancel(2) says so when it has begun
_SUCCESS = {"io_cancel": errnos.EINPROGRESS}
_EMPTY = {".c": "int main(void) { return 0; }\n", ".cc": "int main() { return 0; }\n", ".py": "", ".sh": ":\n"}


def programs() -> list[Program]:
    """Every guest program, in a steady order."""
    return [
        Program.read(path)
        for path in sorted(PROGRAMS.glob("*/*"))
        if path.suffix in SUFFIXES and not path.name.startswith(("test_", "conftest"))
    ]


class Recorder:
    """Runs programs and describes what it saw."""

    def __init__(self) -> None:
        self.native = NativeTarget()
        self.platforms = {name: SandboxTarget(name) for name in TARGETS if name != "native"}
        self._baselines: dict[str, frozenset[str]] = {}

    def close(self) -> None:
        """End the sandboxes."""
        for target in self.platforms.values():
            target.close()

    def record(self, program: Program) -> dict[str, Any]:
        """The program's line of the evidence file."""
        native = self.native.run_program(program)
        results = {"native": PASS if native.exit_code == 0 else f"exit status {native.exit_code}"}
        for name, target in self.platforms.items():
            reason = target.unavailable()
            results[name] = f"unavailable: {reason}" if reason else self._compare(program, native, target)
        uses, files = self.census(program)
        common = self._baseline(program.source.suffix)
        named = named_in(program.source.read_text())
        kept = {call: use for call, use in sorted(uses.items()) if call not in common or call in named}
        today = f"{datetime.now(tz=UTC):%Y-%m-%d}"
        return {"source": digest(program), "date": today, "results": results, "uses": kept, **({"files": files} if files else {})}

    def census(self, program: Program) -> tuple[dict[str, Any], list[str]]:
        """What the program asks the kernel for, and which files of /proc and /sys it names."""
        executable = program.build()
        target = self.platforms["notify"]
        caps = [name for name in program.options.get("caps", "").split(",") if name]
        volumes = [f"{executable}:/guest{executable.suffix}:ro"]
        with target.open(volumes=volumes, profile="strict", census=True, cap_add=caps) as box:
            box.run(["/bin/mkdir", "-m", "777", "/tmp/census"], timeout=30)
            before = box.census()
            argv = program.argv(f"/guest{executable.suffix}")
            result = box.run(argv, env=ENVIRONMENT, cwd="/tmp/census", timeout=program.timeout_s * 5)
            if result.exit_code != 0:
                raise RuntimeError(f"{program.name} fails in profile strict: {result.stdout.decode()[-2000:]}")
            seen = box.census() - before
        unseen = named_in(program.source.read_text()) & UNTRAPPED
        uses: dict[str, Any] = {call: {"succeeded": True, "errors": set(), "words": {}} for call in unseen}
        for use in seen.uses:
            merged = uses.setdefault(use.call, {"succeeded": False, "errors": set(), "words": {}})
            failures = sum(times for errno, times in use.errors.items() if errno != _SUCCESS.get(use.call))
            succeeded = use.count > failures
            merged["succeeded"] |= succeeded
            merged["errors"] |= {errnos.name(errno) for errno in use.errors}
            for word in words.words(use.call, use.values):
                merged["words"][word] = merged["words"].get(word, False) or succeeded
        for merged in uses.values():
            merged["errors"] = sorted(merged["errors"])
            merged["words"] = dict(sorted(merged["words"].items()))
            for empty in [name for name, value in merged.items() if name != "succeeded" and not value]:
                del merged[empty]
        return uses, sorted(path.decode(errors="replace") for path in seen.files)

    def _compare(self, program: Program, native: Outcome, target: SandboxTarget) -> str:
        outcome = target.run_program(program)
        is_unordered = "unordered" in program.options
        return PASS if outcome.seen(is_unordered) == native.seen(is_unordered) else "differs"

    def _baseline(self, suffix: str) -> frozenset[str]:
        if suffix not in self._baselines:
            source = ROOT / "build" / f"empty{suffix}"
            source.parent.mkdir(exist_ok=True)
            source.write_text(_EMPTY[suffix])
            self._baselines[suffix] = frozenset(self.census(Program.read(source))[0])
        return self._baselines[suffix]


def digest(program: Program) -> str:
    """Changes with the program's text."""
    return hashlib.sha256(program.source.read_bytes()).hexdigest()[:16]


def main() -> int:
    """Record and write; 1 if a program does not do the same everywhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="run programs that have not changed as well")
    options = parser.parse_args()
    old = json.loads(FILE.read_text())["programs"] if FILE.exists() and not options.all else {}
    recorder = Recorder()
    found: dict[str, Any] = {}
    try:
        for program in programs():
            known = old.get(program.name)
            if known is not None and known["source"] == digest(program):
                found[program.name] = known
                continue
            found[program.name] = recorder.record(program)
            results = " ".join(f"{target}: {result}" for target, result in found[program.name]["results"].items())
            print(f"{program.name:40} {results}", flush=True)
        write(found, {})
        words = untried(load(FILE))
        with recorder.platforms["notify"].open() as box:
            write(found, refusals.ask(box, words))
    finally:
        recorder.close()
    bad = [name for name, record in found.items() if any(result not in {PASS} for result in record["results"].values())]
    for name in bad:
        print(f"{name}: {found[name]['results']}", file=sys.stderr)
    return 1 if bad else 0


def write(found: dict[str, Any], refused: dict[str, dict[str, str]]) -> None:
    """One program a line, so that a change is one line of a diff."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    head = {"date": f"{datetime.now(tz=UTC):%Y-%m-%d}", "kernel": platform.release(), "python": platform.python_version()}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(record)}" for name, record in found.items())
    tables = ",\n".join(f"  {json.dumps(title)}: {json.dumps(words)}" for title, words in refused.items())
    FILE.write_text(f'{json.dumps(head)[:-1]},\n "refused": {{\n{tables}\n }},\n "programs": {{\n{lines}\n }}}}\n')


if __name__ == "__main__":
    sys.exit(main())
