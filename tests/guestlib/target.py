"""Where a guest program runs: natively, or in a sandbox on one platform. Both give the same record."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.guestlib.program import BUILD, Program

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "TERM": "dumb",
}
_LO_UP = 'ip link set lo up && exec "$@"'
_GUESTS = "/guests"
_OUR_ERROR = 125
#: how the command line says that the host, not a bug of ours, is in the way; anything else is a failure of the tests
_UNAVAILABLE = ("not available", "not permitted here", "forbids", "no platform works")


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False

    def seen(self, unordered: bool = False) -> tuple[int, list[bytes]]:
        """Return what must be equal; processes that print at the same time may do so in any order (``unordered``)."""
        lines = self.stdout.splitlines()
        return self.exit_code, sorted(lines) if unordered else lines

    def report(self) -> str:
        """Return it as a reader wants it: status first, then both streams."""
        text = f"exit status {self.exit_code}{' (timed out)' if self.timed_out else ''}\n"
        for name, data in (("stdout", self.stdout), ("stderr", self.stderr)):
            if data:
                text += f"--- {name}\n{data.decode(errors='replace')}"
        return text


def _status(returncode: int) -> int:
    return 128 - returncode if returncode < 0 else returncode


class NativeTarget:
    """The host's own kernel."""

    name = "native"

    def unavailable(self) -> str | None:
        """Return why nothing can run here; never the case for the host itself."""
        return None

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        stdin: bytes = b"",
        pid1: bool = False,
        net: bool = False,
        env: Mapping[str, str] = ENVIRONMENT,
    ) -> Outcome:
        """Run a command in a fresh directory."""
        if pid1:
            argv = ["unshare", *([] if os.getuid() == 0 else ["-Ur"]), "-pf", "--mount-proc", "--kill-child", "--", *argv]
        if net:
            argv = ["unshare", *([] if os.getuid() == 0 else ["-Ur"]), "-n", "--", "sh", "-c", _LO_UP, "sh", *argv]
        with tempfile.TemporaryDirectory(prefix="guest-", dir="/tmp", ignore_cleanup_errors=True) as folder:
            os.chmod(folder, 0o777)
            process = subprocess.Popen(
                argv,
                cwd=folder,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            try:
                out, err = process.communicate(stdin, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                out, err = process.communicate()
                return Outcome(137, out, err, timed_out=True)
        return Outcome(_status(process.returncode), out, err)

    def run_program(self, program: Program) -> Outcome:
        """Build and run a guest program."""
        argv = program.argv(str(program.build()))
        return self.run(argv, timeout_s=program.timeout_s, pid1="pid1" in program.options, net="net" in program.options)


class SandboxTarget:
    """One platform of the sandbox in one profile. Programs share a sandbox for each family; a broken one is replaced."""

    def __init__(self, platform: str, profile: str = "default") -> None:
        self.name = platform
        self.profile = profile
        self._sandbox: Any = None
        self._family = ""
        self._runs = 0

    def unavailable(self) -> str | None:
        """Return the reason why this platform cannot work on this host, or None."""
        return platform_reason(self.name)

    def open(self, **options: Any) -> Any:
        """Return a new sandbox on this platform, to be used with ``with``."""
        from sandboxctl import Sandbox

        return Sandbox("host", **{"platform": self.name, "profile": self.profile, **options})

    def _shared(self, family: str, capabilities: str) -> Any:
        family += capabilities
        wanted = capabilities.split(",") if capabilities else ()
        if self._sandbox is None or self._family != family:
            self.close()
            BUILD.mkdir(parents=True, exist_ok=True)
            self._sandbox = self.open(volumes=[f"{BUILD}:{_GUESTS}:ro"], cap_add=wanted).__enter__()
            self._family = family
        return self._sandbox

    def close(self) -> None:
        """End the shared sandbox."""
        sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            sandbox.__exit__(None, None, None)

    def run_program(self, program: Program) -> Outcome:
        """Build a guest program on the host and run it in the sandbox of its family."""
        executable = program.build()
        family = program.name if "fresh" in program.options else program.source.parent.name
        command = program.argv(f"{_GUESTS}/{executable.name}")
        try:
            return self.run(self._shared(family, program.options.get("caps", "")), command, timeout_s=program.timeout_s * 3)
        except Exception:
            self.close()
            raise

    def run(self, sandbox: Any, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Outcome:
        """Run a command in a fresh directory of ``sandbox``."""
        self._runs += 1
        folder = f"/tmp/guest-{self._runs}"
        made = sandbox.run(["/bin/mkdir", "-m", "777", folder], timeout=30)
        if made.exit_code != 0:
            return Outcome(made.exit_code, made.stdout, made.stderr + b"mkdir in the sandbox failed", made.timed_out)
        result = sandbox.run(argv, input=stdin, env=ENVIRONMENT, cwd=folder, timeout=timeout_s)
        return Outcome(result.exit_code, result.stdout, result.stderr, result.timed_out)


@cache
def platform_reason(name: str) -> str | None:
    """Return why platform ``name`` cannot run here: the first line of the refusal, or None when a program ran.

    Only a platform that is missing in this tree or that the host forbids counts; a wrong answer is a failure of the tests.
    """
    executable = shutil.which("sandboxctl", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if executable is None:
        return "sandboxctl is not installed"
    try:
        done = subprocess.run(
            [executable, "--platform", name, "run", "host", "--", "/bin/true"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    lines = done.stderr.strip().splitlines()
    last = lines[-1] if lines else ""
    return last if done.returncode == _OUR_ERROR and any(word in last for word in _UNAVAILABLE) else None
