"""Collects every guest program under tests/syscalls once for each target: native first, then each platform.

A program passes natively when it exits with 0, and on a platform when its standard output and exit status equal the native ones.
One that differs runs once more, natively and inside; if it agrees then it is unsettled: the summary names it with what differed,
and more than UNSETTLED_LIMIT of them fail. ``--once`` counts the first run.
``--target native`` (repeatable) limits the targets; a platform that this host cannot offer is skipped with the reason.
``--profile strict`` sends every call of the guests through the sentry.
"""

import ast
import dataclasses
import difflib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sandboxctl.errors import SandboxError
from tests.guestlib.program import SUFFIXES, BuildError, Program
from tests.guestlib.target import NativeTarget, Outcome, SandboxTarget

# Started in the background or under nohup(1), a test run inherits signals ignored, and native guests would as well.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:  # Python's own two are undone in its children
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())

# A busy machine is no fault, and a run says the same twice; ``--hypothesis-profile=explore`` looks for what nobody has seen.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("settled", settings.get_profile("explore"), derandomize=True, database=None)
settings.load_profile("settled")

TARGETS = ("native", "notify", "ptrace")
#: A busy machine makes a few races visible in 1 500 runs; more than these are a fault.
UNSETTLED_LIMIT = 3
SYSCALLS = Path(__file__).resolve().parent / "syscalls"


class Laboratory:
    """The targets of one test session and the native results, which every other target needs."""

    def __init__(self, profile: str) -> None:
        self.native = NativeTarget()
        self.platforms = {name: SandboxTarget(name, profile) for name in TARGETS[1:]}
        self._results: dict[Program | Path, Outcome] = {}
        self.unsettled: dict[str, str] = {}

    def native_outcome(self, program: Program) -> Outcome:
        """Return the native run of ``program``; it happens once."""
        if program.source not in self._results:
            self._results[program.source] = self._kept_outcome(program)
        return self._results[program.source]

    def _kept_outcome(self, program: Program) -> Outcome:
        """Run it, or take the result of an earlier session (``make mutants`` asks for the same ones many times)."""
        folder = os.environ.get("SANDBOXCTL_NATIVE_OUTCOMES")
        if not folder:
            return self.native.run_program(program)
        kept = Path(folder) / program.build().name
        if kept.exists():
            return Outcome(**ast.literal_eval(kept.read_text()))
        outcome = self.native.run_program(program)
        kept.write_text(repr(dataclasses.asdict(outcome)))
        return outcome

    def forget(self, program: Program) -> None:
        """The next native result is a new one."""
        self._results.pop(program.source, None)

    def close(self) -> None:
        for target in self.platforms.values():
            target.close()


LABORATORY = pytest.StashKey[Laboratory]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--target", action="append", choices=TARGETS, help="run guest programs on this target only (repeatable)")
    parser.addoption("--profile", choices=("default", "strict"), default="default", help="the sandboxes' profile")
    parser.addoption("--once", action="store_true", help="a guest program that differs fails without a second run")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LABORATORY] = Laboratory(config.getoption("--profile"))


def pytest_unconfigure(config: pytest.Config) -> None:
    laboratory = config.stash.get(LABORATORY, None)
    if laboratory is not None:
        laboratory.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the guest programs that agreed with Linux in their second run only."""
    unsettled = config.stash[LABORATORY].unsettled
    if unsettled:
        terminalreporter.section("unsettled: agreed in the second run")
        for name, report in unsettled.items():
            terminalreporter.line(name, yellow=True)
            terminalreporter.line(report)


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End the shared sandboxes with the last guest program, so that other tests find no child processes."""
    if isinstance(item, GuestItem) and not isinstance(nextitem, GuestItem):
        item.config.stash[LABORATORY].close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    is_guest = (
        file_path.suffix in SUFFIXES and SYSCALLS in file_path.parents and not file_path.name.startswith(("test_", "conftest"))
    )
    return GuestFile.from_parent(parent, path=file_path) if is_guest else None


class NotAModule(pytest.File):
    """A guest program in Python that was named on the command line: it is not for us to import."""

    def collect(self) -> Iterator[pytest.Item]:
        return iter(())


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    is_guest = SYSCALLS in module_path.parents and not module_path.name.startswith(("test_", "conftest"))
    return NotAModule.from_parent(parent, path=module_path) if is_guest else None


class GuestFile(pytest.File):
    """One guest program; its items are the targets."""

    def collect(self) -> Iterator[pytest.Item]:
        program = Program.read(self.path)
        chosen = self.config.getoption("--target") or TARGETS
        for target in TARGETS:
            if target in chosen:
                yield GuestItem.from_parent(self, name=target, program=program, target=target)


class GuestFailure(Exception):
    """A guest program that did not do what Linux does; the text is the report."""


class GuestItem(pytest.Item):
    """One guest program on one target."""

    def __init__(self, *, program: Program, target: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.program = program
        self.target = target
        self.add_marker(pytest.mark.timeout(int(program.timeout_s * 3) + 60))

    def setup(self) -> None:
        if "root" in self.program.options and os.getuid() != 0:
            pytest.skip("the program needs root to compare privileges")
        if self.target != "native":
            reason = self.config.stash[LABORATORY].platforms[self.target].unavailable()
            if reason:
                pytest.skip(f"{self.target}: {reason}")

    def runtest(self) -> None:
        try:
            self._compare()
        except (GuestFailure, SandboxError) as first:
            laboratory = self.config.stash[LABORATORY]
            if self.config.getoption("--once") or len(laboratory.unsettled) >= UNSETTLED_LIMIT:
                raise
            laboratory.forget(self.program)
            laboratory.close()
            try:
                self._compare()
            except (GuestFailure, SandboxError) as second:
                raise second from first
            laboratory.unsettled[self.reportinfo()[2]] = str(first)

    def _compare(self) -> None:
        laboratory = self.config.stash[LABORATORY]
        native = laboratory.native_outcome(self.program)
        if native.exit_code != 0:
            raise GuestFailure(f"fails natively\n{native.report()}")
        if self.target == "native":
            return
        outcome = laboratory.platforms[self.target].run_program(self.program)
        unordered = "unordered" in self.program.options
        if outcome.seen(unordered) != native.seen(unordered):
            raise GuestFailure(_differences(native, outcome, self.target))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, (GuestFailure, BuildError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.program.name}[{self.target}]"


def _differences(native: Outcome, outcome: Outcome, target: str) -> str:
    old = native.stdout.decode(errors="replace").splitlines()
    new = outcome.stdout.decode(errors="replace").splitlines()
    diff = "\n".join(difflib.unified_diff(old, new, "native", target, n=1, lineterm=""))
    text = f"exit status {native.exit_code} natively, {outcome.exit_code} on {target}"
    if outcome.timed_out:
        text += " (timed out)"
    tail = outcome.stderr.decode(errors="replace").strip().splitlines()[-15:]
    return "\n".join([text, diff, *(["--- stderr", *tail] if tail else [])])


@pytest.fixture(scope="session")
def laboratory(request: pytest.FixtureRequest) -> Laboratory:
    """The targets, for tests that start programs themselves."""
    return request.config.stash[LABORATORY]


@pytest.fixture(scope="session", params=TARGETS[1:])
def platform(request: pytest.FixtureRequest, laboratory: Laboratory) -> SandboxTarget:
    """Each platform that works here."""
    target = laboratory.platforms[request.param]
    reason = target.unavailable()
    if reason:
        pytest.skip(f"{request.param}: {reason}")
    return target
