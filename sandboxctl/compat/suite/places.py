"""The two places where a suite runs. Each gives the exit status, the text and, if asked for, a trace of the calls."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sandboxctl.api import Result, Sandbox
from sandboxctl.config import CommandConfig, SandboxConfig
from sandboxctl.errors import OptionError

_TIMED_OUT = 124
_OUTPUT_MAX = 64 << 20


@dataclass(frozen=True, slots=True)
class Run:
    """One run: ``result`` is the text of the results file, or what was printed; ``trace`` are strace's lines."""

    exit_status: int
    result: str
    seconds: float
    trace: Sequence[str] = ()


class Native:
    """The host itself, in ``cwd``."""

    def __init__(self, cwd: str, results: str | None, timeout_s: float) -> None:
        self.cwd = cwd
        self._results = results
        self._timeout_s = timeout_s
        self.tracer = shutil.which("strace")

    def run(self, argv: Sequence[str], env: Mapping[str, str] | None = None, *, traced: bool = False) -> Run:
        """Run it; with ``traced`` and strace at hand its calls are in the result. Raises OptionError for no such program."""
        with tempfile.TemporaryDirectory(prefix="compat-") as folder:
            trace = Path(folder, "trace")
            if traced and self.tracer:
                argv = [self.tracer, "-f", "-qq", "-s", "256", "-o", str(trace), "--", *argv]
            started = time.monotonic()
            status, text = self._output(argv, {**os.environ, **(env or {})})
            seconds = time.monotonic() - started
            lines = trace.read_text(errors="replace").splitlines() if trace.exists() else []
        if self._results:
            path = Path(self.cwd, self._results)
            text = path.read_text(errors="replace") if path.exists() else text
        return Run(status, text, seconds, lines)

    def _output(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
        try:
            process = subprocess.Popen(
                argv,
                cwd=self.cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise OptionError(f"cannot run {argv[0]} natively: {error.strerror}; --native CMD names another command") from None
        try:
            output, _ = process.communicate(timeout=self._timeout_s)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return _TIMED_OUT, output.decode(errors="replace") + "\ntimed out"
        return (128 - code if code < 0 else code), output[:_OUTPUT_MAX].decode(errors="replace")


class Inside:
    """A new sandbox for each run."""

    def __init__(self, config: SandboxConfig, what: CommandConfig, results: str | None, timeout_s: float) -> None:
        self._config = config
        self._what = what
        self._results = results
        self._timeout_s = what.timeout or timeout_s

    @property
    def cwd(self) -> str:
        """Where the command starts."""
        return self._what.cwd

    def run(self, argv: Sequence[str], env: Mapping[str, str] | None = None, *, traced: bool = False) -> Run:
        """Run it. A traced run sends every call through the sentry (profile strict). Raises SandboxError."""
        with tempfile.TemporaryDirectory(prefix="compat-") as folder:
            log = Path(folder, "trace")
            config = replace(self._config, trace="strace", profile="strict", log_file=str(log)) if traced else self._config
            started = time.monotonic()
            with Sandbox.from_config(config) as sandbox:
                # one stream for both outputs, in the order in which they were written
                result = self._start(sandbox, ["/bin/sh", "-c", 'exec "$@" 2>&1', "sh", *argv], env or {})
                seconds = time.monotonic() - started
                text = (result.stdout + result.stderr).decode(errors="replace")
                if self._results:
                    kept = self._start(sandbox, ["/bin/cat", self._results], {})
                    text = kept.stdout.decode(errors="replace") if kept.exit_code == 0 else text
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        if result.timed_out:
            return Run(_TIMED_OUT, text + "\ntimed out", seconds, lines)
        return Run(result.exit_code, text, seconds, lines)

    def _start(self, sandbox: Sandbox, argv: Sequence[str], env: Mapping[str, str]) -> Result:
        command = replace(self._what, argv=tuple(argv), env={**self._what.env, **env}, timeout=None)
        return sandbox.run_config(command, timeout=self._timeout_s)
