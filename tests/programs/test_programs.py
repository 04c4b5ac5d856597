"""Debian's programs, natively and in the sandbox: the same script must print the same and end with the same status."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.guestlib.target import NativeTarget, Outcome, SandboxTarget
from tests.programs.case import Case
from tests.programs.cases import CASES
from tests.programs.file_cases import FILE_CASES
from tests.programs.network_cases import NETWORK_CASES

_SLOWER = 2


@pytest.fixture
def box(platform: SandboxTarget) -> Iterator[Any]:
    with platform.open() as sandbox:
        yield sandbox


_NATIVE: dict[str, Outcome] = {}


def native(case: Case) -> Outcome:
    """Return the native outcome; it must be a good one, for everything else is measured against it."""
    if case.name not in _NATIVE:
        argv = ["/bin/bash", "-c", case.script]
        _NATIVE[case.name] = NativeTarget().run(argv, timeout_s=case.timeout_s, net=case in NETWORK_CASES)
    outcome = _NATIVE[case.name]
    assert not outcome.timed_out, outcome.report()
    assert outcome.stdout, outcome.report()
    return outcome


@pytest.mark.slow
@pytest.mark.parametrize("case", [*CASES, *FILE_CASES, *NETWORK_CASES], ids=lambda case: case.name)
def test_program(case: Case, platform: SandboxTarget, box: Any) -> None:
    missing = [name for name in case.needs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    expected = native(case)
    outcome = platform.run(box, ["/bin/bash", "-c", case.script], timeout_s=case.timeout_s * _SLOWER)
    assert outcome.stdout.decode(errors="replace") == expected.stdout.decode(errors="replace"), outcome.report()
    assert outcome.exit_code == expected.exit_code, outcome.report()
