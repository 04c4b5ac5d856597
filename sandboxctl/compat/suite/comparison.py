"""Runs a suite in both places, compares test by test, and looks for the call behind each difference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sandboxctl.compat.suite.classify import Finding, classify, failing, is_difference
from sandboxctl.compat.suite.differences import Difference, differences
from sandboxctl.compat.suite.events import events
from sandboxctl.compat.suite.formats import read
from sandboxctl.compat.suite.outcome import WHOLE, Outcome, Outcomes, Verdict
from sandboxctl.compat.suite.places import Run
from sandboxctl.compat.suite.selection import select

#: tests that are run again alone, traced, to find the call; the others get their class from their messages
TRACED_MAX = 20


class Place(Protocol):
    """Where a suite runs."""

    @property
    def cwd(self) -> str:
        """Where the command starts."""

    def run(self, argv: Sequence[str], env: Mapping[str, str] | None = None, *, traced: bool = False) -> Run:
        """Run a command, with more variables."""


@dataclass(slots=True)
class Comparison:
    """All of it: outcomes by test (one per run, None where the test was missing) and what differs."""

    form: str
    repeat: int
    native: dict[str, list[Outcome | None]] = field(default_factory=dict)
    inside: dict[str, list[Outcome | None]] = field(default_factory=dict)
    native_s: list[float] = field(default_factory=list)
    inside_s: list[float] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def totals(self) -> dict[str, int]:
        """Counts for the heading of a report."""
        both = sum(not failing(self.native[test]) and not failing(self.inside[test]) for test in self.native)
        return {"tests": len(self.native), "pass in both": both, "differ": len(self.findings)}


@dataclass(frozen=True, slots=True)
class Suite:
    """What is to be run: natively and inside the commands may differ; ``form`` is a format's name or "auto"."""

    native_argv: Sequence[str]
    argv: Sequence[str]
    repeat: int
    form: str = "auto"


def compare(suite: Suite, native: Place, inside: Place, say: Callable[[str], None] = lambda _text: None) -> Comparison:
    """Run and compare. Raises SandboxError and OptionError."""
    result = Comparison(suite.form, suite.repeat)
    runs: list[tuple[Outcomes, Outcomes]] = []
    for number in range(suite.repeat):
        say(f"run {number + 1} of {suite.repeat}")
        first, second = native.run(suite.native_argv), inside.run(suite.argv)
        result.native_s.append(first.seconds)
        result.inside_s.append(second.seconds)
        form, outcomes = read(first.result, first.exit_status, suite.form)
        result.form = form if result.form in ("auto", "status") else result.form
        runs.append((outcomes, read(second.result, second.exit_status, suite.form)[1]))
    names = sorted({name for pair in runs for outcomes in pair for name in outcomes})
    for name in names:
        result.native[name] = [outcomes.get(name) for outcomes, _ in runs]
        result.inside[name] = [outcomes.get(name) for _, outcomes in runs]
        if all(outcome is None for outcome in result.native[name]):  # natively only the failure itself is not there
            result.native[name] = [Outcome(Verdict.PASS) for _ in runs]
    differing = [name for name in names if is_difference(result.native[name], result.inside[name])]
    if WHOLE in differing:  # a suite that ended early: that is one difference, not one for each test that did not run
        unrun = [name for name in differing if all(outcome is None for outcome in result.inside[name])]
        differing = [name for name in differing if name not in unrun]
        if unrun:
            result.notes.append(f"{len(unrun)} tests did not run in the sandbox")
    tracer = _Tracer(suite, result, native, inside)
    for number, name in enumerate(differing):
        is_steady = failing(result.native[name]) == 0
        found: Sequence[Difference] = ()
        if is_steady and number < TRACED_MAX:
            say(f"trace {name}")
            found = tracer.differences(name)
        result.findings.append(classify(name, result.native[name], result.inside[name], found))
    return result


class _Tracer:
    """Runs a test alone in both places, traced; the whole suite, once, where a test cannot be run alone."""

    def __init__(self, suite: Suite, result: Comparison, native: Place, inside: Place) -> None:
        self._suite = suite
        self._result = result
        self._places = native, inside
        self._kept: dict[tuple[str, ...], list[Difference]] = {}
        self._noise: Sequence[Difference] | None = None

    def differences(self, test: str) -> Sequence[Difference]:
        """The calls that differ in this test and not in one that passes."""
        return self._trace(test, self._steady())

    def _steady(self) -> Sequence[Difference]:
        if self._noise is None:
            native, inside = self._result.native, self._result.inside
            good = (name for name in native if not failing(native[name]) and not failing(inside[name]))
            test = next((name for name in good if select(self._result.form, self._suite.argv, name)), None)
            self._noise = [] if test is None else self._trace(test, ())
        return self._noise

    def _trace(self, test: str, noise: Sequence[Difference]) -> Sequence[Difference]:
        chosen = select(self._result.form, self._suite.argv, test)
        key = (test,) if chosen else ()
        if key not in self._kept:
            lines = []
            for place, argv in zip(self._places, (self._suite.native_argv, self._suite.argv), strict=True):
                alone = select(self._result.form, argv, test)
                run = place.run(alone.argv if alone else argv, alone.env if alone else None, traced=True)
                lines.append(list(events(iter(run.trace), (place.cwd,))))
            if not lines[0]:
                note = "the native runs were not traced (install strace): calls are judged by their errors in the sandbox only"
                if note not in self._result.notes:
                    self._result.notes.append(note)
                lines[1] = [event for event in lines[1] if event.error == "ENOSYS"]
            self._kept[key] = list(differences(lines[0], lines[1], noise))
        return self._kept[key]
