"""``pytest --sandbox``: the tests of this session natively, as always, and then again in a sandbox; differences are failures.

The project and every folder of ``sys.path`` are there read-only, under their own names. Without the option nothing is imported.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from sandboxctl.compat.suite.comparison import Comparison

#: folders of the image "host" that are there anyway
_THERE = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/opt")
_EXIT_DIFFERS = 3
#: set inside, so that a project that always asks for --sandbox does not ask again
_INSIDE = "SANDBOXCTL_PYTEST_INSIDE"


def pytest_addoption(parser: "pytest.Parser") -> None:
    """Add the options."""
    group = parser.getgroup("sandboxctl", "in a sandbox")
    group.addoption("--sandbox", action="store_true", help="run the tests again in a sandbox and report what differs")
    group.addoption("--sandbox-image", default="host", metavar="IMAGE", help="the sandbox's image")
    group.addoption("--sandbox-report", metavar="DIR", help="write report.html, report.md and report.json there")


def pytest_configure(config: "pytest.Config") -> None:
    """Watch this session, if asked to."""
    import os

    if config.getoption("--sandbox") and _INSIDE not in os.environ:
        config.pluginmanager.register(_Watcher(config), "sandboxctl-watcher")


class _Watcher:
    """Keeps the native outcomes, runs the tests inside when the session ends, and reports."""

    def __init__(self, config: "pytest.Config") -> None:
        self._config = config
        self._outcomes: dict[str, tuple[str, str, float]] = {}
        self._found: Comparison | None = None
        self._failure = ""

    def pytest_runtest_logreport(self, report: "pytest.TestReport") -> None:
        """Note a native outcome; a failed set-up or tear-down counts as the test's."""
        if report.when == "call" or report.outcome != "passed":
            text = str(report.longrepr)[-2000:] if report.failed else ""
            self._outcomes[report.nodeid] = (report.outcome, text, report.duration)

    def pytest_sessionfinish(self, session: "pytest.Session") -> None:
        """Run everything again inside."""
        from sandboxctl.errors import OptionError, SandboxError

        if not self._outcomes:
            return
        try:
            self._found = self._compare()
        except (OptionError, SandboxError) as error:
            self._failure = str(error)
        if (self._failure or (self._found and self._found.findings)) and session.exitstatus == 0:
            session.exitstatus = _EXIT_DIFFERS

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what differs."""
        if self._failure:
            terminalreporter.section("sandbox")
            terminalreporter.write_line(f"not run: {self._failure}", red=True)
        if self._found is None:
            return
        terminalreporter.section("sandbox")
        for finding in self._found.findings:
            terminalreporter.write_line(f"{finding.test}: {finding.kind}: {finding.reason}", red=True)
            if finding.first_call:
                terminalreporter.write_line(f"    {finding.first_call}")
        for note in self._found.notes:
            terminalreporter.write_line(f"note: {note}")
        terminalreporter.write_line(", ".join(f"{count} {name}" for name, count in self._found.totals().items()))

    def _compare(self) -> "Comparison":
        import os
        import shlex

        from sandboxctl.compat.suite import report
        from sandboxctl.compat.suite.comparison import Suite, compare
        from sandboxctl.compat.suite.places import Inside, Native
        from sandboxctl.options.assemble import CommandOptions, SandboxOptions, command_config, sandbox_config

        cwd = str(self._config.invocation_params.dir)
        words = [word for word in map(str, self._config.invocation_params.args) if not word.startswith("--sandbox")]
        argv = [sys.executable, "-m", "pytest", *words, "-v", "-rA", "-p", "no:cacheprovider"]
        image = self._config.getoption("--sandbox-image")
        places = sorted({cwd, str(self._config.rootpath), *_python_folders()})
        volumes = [f"{place}:{place}:ro" for place in places if not any(_below(place, other) for other in places)]
        variables = ["PYTHONDONTWRITEBYTECODE=1", f"{_INSIDE}=1"]
        what = command_config(CommandOptions(argv=argv, env=variables, workdir=cwd), image)
        inside = Inside(sandbox_config(SandboxOptions(image=image, volumes=volumes)), what, None, 3600)
        os.environ[_INSIDE] = "1"
        try:
            result = compare(Suite(argv, argv, 1, "pytest"), _Noted(self._outcomes, Native(cwd, None, 3600)), inside)
        finally:
            del os.environ[_INSIDE]
        folder = self._config.getoption("--sandbox-report")
        if folder:
            data = report.as_data(result, shlex.join(["pytest", *words]))
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder, "report.json").write_text(report.as_json(data))
            Path(folder, "report.md").write_text(report.as_markdown(data))
            Path(folder, "report.html").write_text(report.as_html(data))
        return result


class _Noted:
    """The native place: its first run is the session that has just ended."""

    def __init__(self, outcomes: dict[str, tuple[str, str, float]], native: Any) -> None:
        self._outcomes = outcomes
        self._native = native
        self.cwd: str = native.cwd

    def run(self, argv: Any, env: Any = None, *, traced: bool = False) -> Any:
        """The session itself, or, traced, a real run."""
        from sandboxctl.compat.suite.places import Run

        if traced:
            return self._native.run(argv, env, traced=True)
        words = {"passed": "PASSED", "failed": "FAILED", "skipped": "SKIPPED"}
        lines = [f"{name} {words[outcome]}" for name, (outcome, _, _) in self._outcomes.items()]
        is_bad = any(outcome == "failed" for outcome, _, _ in self._outcomes.values())
        return Run(int(is_bad), "\n".join(lines) + "\n", sum(seconds for _, _, seconds in self._outcomes.values()))


def _python_folders() -> set[str]:
    """Where this Python and its packages are, as far as the image does not have them."""
    found = {str(Path(sys.prefix)), str(Path(sys.base_prefix)), *(str(Path(entry)) for entry in sys.path if entry)}
    there = tuple(f"{top}/" for top in _THERE)
    return {place for place in found if Path(place).is_dir() and not f"{place}/".startswith(there)}


def _below(place: str, other: str) -> bool:
    return place.startswith(other + "/")
