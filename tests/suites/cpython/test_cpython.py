"""CPython's regression tests: the same methods pass in the sandbox as natively. All of them: `make test-suites`."""

import tomllib
from pathlib import Path

import pytest

from tests.guestlib.target import SandboxTarget
from tests.suites.cpython.module_run import TIMEOUT_S, run_inside, run_natively, unavailable
from tests.suites.cpython.modules import MODULES, SAMPLE
from tests.suites.record import is_whole_tier, record

EXCEPTIONS: dict[str, str] = tomllib.loads(Path(__file__).with_name("exceptions.toml").read_text())
_MOST_EXCEPTIONS = 0.01


@pytest.fixture(scope="module")
def notify() -> SandboxTarget:
    target = SandboxTarget("notify")
    reason = target.unavailable()
    if reason:
        pytest.skip(f"notify: {reason}")
    return target


@pytest.mark.slow
@pytest.mark.timeout(4 * TIMEOUT_S)
@pytest.mark.parametrize("module", MODULES if is_whole_tier() else SAMPLE)
def test_module(module: str, notify: SandboxTarget) -> None:
    reason = unavailable()
    if reason:
        pytest.skip(reason)
    native = run_natively(module)
    passed = native.passed()
    assert passed, native.outcome.report()
    inside = run_inside(notify, module)
    excepted = {name for name in EXCEPTIONS if name in passed}
    missing = passed - inside.passed() - excepted
    again = tuple(sorted(missing))
    if again and all(name in inside.methods for name in again):  # their own time limits, on a loaded machine: alone, once more
        missing -= run_inside(notify, module, again).passed()
    counts = {"native": len(passed), "inside": len(inside.passed() & passed), "excepted": len(excepted)}
    record("cpython", module=module, **counts, again=again, missing=sorted(missing))
    text = "\n".join(f"{inside.methods.get(name, 'not run')}: {name}" for name in sorted(missing))
    assert not missing, f"{text}\n{inside.outcome.report()[-20000:]}"
    stale = excepted & inside.passed()
    assert not stale, f"these pass: remove them from exceptions.toml: {sorted(stale)}"
    assert len(excepted) <= max(1, _MOST_EXCEPTIONS * len(passed))
