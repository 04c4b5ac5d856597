"""What one test did in one run."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a test ended."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict of one test, what it said when it failed, and how long it took if the format tells (else 0)."""

    verdict: Verdict
    message: str = ""
    seconds: float = 0.0


#: test name to outcome, for one run of a suite
Outcomes = dict[str, Outcome]
#: the name of the only test of a command that says nothing but its exit status
WHOLE = "(exit status)"
