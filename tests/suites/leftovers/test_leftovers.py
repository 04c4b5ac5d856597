"""After each guest program nothing is left: no process, no descriptor of the sentry's; after many the sentry has not grown."""

import os
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from tests.guestlib.program import BUILD, SUFFIXES, Program
from tests.guestlib.target import SandboxTarget
from tests.suites.record import is_whole_tier, record

_SYSCALLS = Path(__file__).resolve().parents[2] / "syscalls"
#: of each family, for `make test`
_SAMPLE = 1
#: garbage that waits for its collection, and caches that are not full yet
_GROWTH_MAX_KB = 4096
_OTHERS_NEEDED = {"fresh", "caps", "root"}


def _programs() -> list[Program]:
    found = (path for path in sorted(_SYSCALLS.rglob("*")) if path.suffix in SUFFIXES)
    named = [Program.read(path) for path in found if not path.name.startswith(("test_", "conftest"))]
    alike = [program for program in named if not _OTHERS_NEEDED & set(program.options)]
    if is_whole_tier():
        return alike
    families = groupby(alike, lambda program: program.source.parent)
    return [program for _, family in families for program in list(family)[:_SAMPLE]]


def _descriptors(pid: int) -> Counter[str]:
    """What the sentry holds besides files, by kind; files may wait in caches."""
    kinds: Counter[str] = Counter()
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{number}")
        except FileNotFoundError:
            continue
        if not target.startswith(("/", "net:", "mnt:", "pid:")):
            kinds[target if target.startswith("anon_inode") else target.partition(":")[0]] += 1
    return kinds


def _anonymous_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:"))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_is_left_and_nothing_grows() -> None:
    target = SandboxTarget("notify")
    if reason := target.unavailable():
        pytest.skip(f"notify: {reason}")
    programs = [(program, program.build()) for program in _programs()]
    grown = []
    with target.open(volumes=[f"{BUILD}:/guests:ro"]) as sandbox:
        sandbox.run(["/bin/true"])
        pid, before, folder = sandbox.session.pid, None, 0
        for _ in range(3):
            for program, executable in programs:
                folder += 1
                target.run(sandbox, program.argv(f"/guests/{executable.name}"), timeout_s=program.timeout_s * 3)
                sandbox.run(["/bin/rm", "-rf", f"/tmp/guest-{folder}"])
                assert not sandbox.session.processes(), program.name
                now = _descriptors(pid)
                assert before is None or now == before, program.name
                before = now
            grown.append(_anonymous_kb(pid))
    record("leftovers", programs=len(programs), sentry_kb=grown)
    assert grown[2] - grown[1] <= _GROWTH_MAX_KB, grown
