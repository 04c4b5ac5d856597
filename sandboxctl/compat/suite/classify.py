"""Of which class a difference is, and why."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sandboxctl.compat.suite.differences import Difference
from sandboxctl.compat.suite.outcome import Outcome, Verdict


class Kind(StrEnum):
    """Classes of differences."""

    MISSING_CALL = "missing call"
    WRONG_ERRNO = "wrong errno"
    MISSING_FILE = "missing /proc file"
    TIMING = "timing or clock"
    RACE = "race that also fails natively"
    LIMIT = "resource limit"
    ENVIRONMENT = "environment"
    UNKNOWN = "unknown"


_LIMITS = frozenset(("EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "EDQUOT", "EFBIG", "ENOLCK"))
_SAYS_LIMIT = re.compile(r"Too many open files|Cannot allocate memory|No space left|MemoryError|exit status 137\b|SIGKILL")
_SAYS_TIME = re.compile(r"\b(time[ds]?[ -]?out|too slow|deadline|took [0-9.]+ ?(?:ms|s|us)|elapsed|expired)\b", re.IGNORECASE)
_PATHS = frozenset(("ENOENT", "ENOTDIR", "EACCES", "ELOOP", "EROFS"))


@dataclass(frozen=True, slots=True)
class Finding:
    """A test that differs: its class, the reason in words, and the first call whose result differs, if a trace shows one."""

    test: str
    kind: Kind
    reason: str
    first_call: str = ""
    message: str = ""


def failing(outcomes: Sequence[Outcome | None]) -> int:
    """How many of the runs did not pass; a test that is missing from a run did not pass."""
    return sum(outcome is None or outcome.verdict is Verdict.FAIL for outcome in outcomes)


def is_difference(native: Sequence[Outcome | None], inside: Sequence[Outcome | None]) -> bool:
    """Whether the sandbox did worse, or the host is not steady itself."""
    bad = failing(native)
    return 0 < bad < len(native) or (bad == 0 and failing(inside) > 0)


def classify(
    test: str, native: Sequence[Outcome | None], inside: Sequence[Outcome | None], found: Sequence[Difference]
) -> Finding:
    """Name the class. ``found`` are the calls that differ, in order; errors count only if the host did not see them."""
    message = next((outcome.message for outcome in inside if outcome and outcome.message), "")
    bad = failing(native)
    if 0 < bad < len(native):
        return Finding(test, Kind.RACE, f"natively {bad} of {len(native)} runs fail as well", message=message)

    found = _told(found, message) or found

    def finding(kind: Kind, reason: str, difference: Difference | None = None) -> Finding:
        first = str(difference or (found[0] if found else ""))
        return Finding(test, kind, reason, first, message)

    for kind, reason, chosen in (
        (Kind.MISSING_CALL, "the sandbox does not have this call", _first(found, _is_missing)),
        (Kind.LIMIT, "a limit of the sandbox was reached", _first(found, lambda one: one.event.error in _LIMITS)),
        (Kind.MISSING_FILE, "the host has this file", _first(found, _is_special_file)),
        (Kind.ENVIRONMENT, "this path is not the same in the sandbox", _first(found, _is_path)),
    ):
        if chosen is not None and (kind is not Kind.ENVIRONMENT or not _first(found, _is_errno)):
            return finding(kind, reason, chosen)
    if chosen := _first(found, _is_errno):
        return finding(Kind.WRONG_ERRNO, "the sandbox answers otherwise", chosen)
    if _SAYS_LIMIT.search(message):
        return finding(Kind.LIMIT, "the message names a limit")
    if _SAYS_TIME.search(message):
        return finding(Kind.TIMING, "the message speaks of time, and no call's result explains it")
    if 0 < failing(inside) < len(inside):
        return finding(Kind.TIMING, f"only {failing(inside)} of {len(inside)} runs in the sandbox fail")
    return finding(Kind.UNKNOWN, "no call's error differs: the difference is in data, or the host was not traced")


def _told(found: Sequence[Difference], message: str) -> list[Difference]:
    """Those whose path the test itself names: what fails for want of a file says so, whatever its runtime has probed before."""
    return [one for one in found if len(one.event.path) > 1 and one.event.path in message]


def _first(found: Sequence[Difference], fits: Callable[[Difference], bool]) -> Difference | None:
    return next((one for one in found if fits(one)), None)


def _is_missing(one: Difference) -> bool:
    return one.event.error == "ENOSYS"


def _is_special_file(one: Difference) -> bool:
    return one.event.path.startswith(("/proc/", "/sys/")) and one.event.error in _PATHS


def _is_path(one: Difference) -> bool:
    return bool(one.event.path) and one.event.error in _PATHS


def _is_errno(one: Difference) -> bool:
    return bool(one.event.error) and not _is_missing(one) and not _is_path(one) and one.event.error not in _LIMITS
