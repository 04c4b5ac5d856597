"""stress-ng with --verify: no stressor fails inside that does not fail natively. Five seconds each: `make test-suites`."""

import os
import shutil
import tomllib
from pathlib import Path

import pytest

from tests.guestlib.target import NativeTarget, Outcome, SandboxTarget
from tests.suites.record import is_whole_tier, record
from tests.suites.stress.stressors import ALL, SAMPLE

_SECONDS = 5 if is_whole_tier() else 1
#: stress-ng(1): 3 no resources, 4 not implemented here, 6 too little was run
_NOT_RUN = (3, 4, 6)
EXCEPTIONS: dict[str, str] = tomllib.loads(Path(__file__).with_name("exceptions.toml").read_text())
_USER = 65534


@pytest.fixture(scope="module")
def notify() -> SandboxTarget:
    target = SandboxTarget("notify")
    reason = target.unavailable()
    if reason:
        pytest.skip(f"notify: {reason}")
    return target


def _command(name: str) -> list[str]:
    return ["stress-ng", f"--{name}", "2", "--timeout", str(_SECONDS), "--verify", "--oomable", "--temp-path", "."]


def _natively(name: str) -> Outcome:
    """As an ordinary user: a stressor that harms the machine must not be able to."""
    ordinary = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"] if os.getuid() == 0 else []
    return NativeTarget().run([*ordinary, *_command(name)], timeout_s=300)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ALL if is_whole_tier() else SAMPLE)
def test_stressor(name: str, notify: SandboxTarget) -> None:
    if shutil.which("stress-ng") is None:
        pytest.skip("not installed: stress-ng")
    native = _natively(name)
    with notify.open() as sandbox:
        made = sandbox.run(["/bin/sh", "-c", "mkdir -m 777 /tmp/stress"], timeout=60)
        assert made.exit_code == 0
        result = sandbox.run(_command(name), cwd="/tmp/stress", user=f"{_USER}:{_USER}", timeout=300)
        assert sandbox.run(["/bin/true"], timeout=60).exit_code == 0
    inside = Outcome(result.exit_code, result.stdout, result.stderr, result.timed_out)
    record("stress-ng", stressor=name, native=native.exit_code, inside=inside.exit_code)
    is_good = inside.exit_code in (0, native.exit_code)
    if name in EXCEPTIONS and native.exit_code == 0:
        assert not is_good, f"{name} passes: remove it from exceptions.toml"
        return
    if native.exit_code in _NOT_RUN:
        return
    assert is_good, inside.report()[-8000:]
