"""The tour: short checks in one sandbox on the default image that show what it is, each with its result and time.

``make run`` starts it; it exits with 1 if any check fails. Output is plain unless standard output is a terminal.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sandboxctl.api import Result, Sandbox
from sandboxctl.errors import SandboxError

_DEADLINE_S = 20.0
_THREADS = """
import threading
total = 0
lock = threading.Lock()
def work():
    global total
    for _ in range(1000):
        with lock:
            total += 1
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(total)
"""
_PROGRAM = '#include <stdio.h>\\nint main(void) { puts("compiled here"); return 7; }\\n'


class CheckFailed(Exception):
    """A check saw something else than it promised."""


@dataclass(frozen=True)
class Check:
    """One stop of the tour: what it shows and how."""

    label: str
    body: Callable[[Sandbox], str]


def _run(box: Sandbox, *argv: str, code: int = 0, timeout: float = _DEADLINE_S) -> str:
    result: Result = box.run(list(argv), timeout=timeout)
    text = result.stdout.decode(errors="replace").strip()
    if result.exit_code != code:
        said = (result.stderr or result.stdout).decode(errors="replace").strip().splitlines()
        raise CheckFailed(f"exit status {result.exit_code}, wanted {code}: {said[-1] if said else 'no output'}")
    return text


def _expect(condition: bool, text: str) -> str:
    if not condition:
        raise CheckFailed(text)
    return text


def _kernel(box: Sandbox) -> str:
    name = _run(box, "uname", "-srv")
    return _expect(name.startswith("Linux ") and os.uname().version not in name, name)


def _first_process(box: Sandbox) -> str:
    listing = _run(box, "sh", "-c", "cat /proc/1/comm; ls -d /proc/[0-9]* | wc -l")
    count = int(listing.split()[-1])
    return _expect(0 < count < 10, f"pid 1 is {listing.split()[0]}, {count} processes in sight")


def _hidden_files(box: Sandbox) -> str:
    seen = _run(box, "sh", "-c", "ls -A /root /home /run 2>/dev/null | grep -v '^/' | grep -c . || true")
    socket = _run(box, "sh", "-c", "find /run /var/run /tmp -maxdepth 2 -type s 2>/dev/null | wc -l")
    return _expect(seen == "0" and socket == "0", f"/root, /home, /run: {seen} entries; {socket} host sockets")


def _writes_stay(box: Sandbox) -> str:
    name = f"/usr/sandboxctl-tour-{os.getpid()}"
    user = "as root" if os.getuid() == 0 else "under /tmp"
    target = name if os.getuid() == 0 else f"/tmp/{Path(name).name}"
    back = _run(box, "sh", "-c", f"echo inside > {target} && cat {target}")
    return _expect(back == "inside" and not Path(target).exists(), f"written {user}, read back, not on the host")


def _threads(box: Sandbox) -> str:
    total = _run(box, "python3", "-c", _THREADS)
    return _expect(total == "8000", f"8 Python threads counted to {total}")


def _compiler(box: Sandbox) -> str:
    script = f"cd /tmp && printf '{_PROGRAM}' > t.c && gcc t.c -o t && ./t"
    return _expect(_run(box, "sh", "-c", script, code=7) == "compiled here", "gcc made a program, it ran and returned 7")


def _exit_status(box: Sandbox) -> str:
    _run(box, "sh", "-c", "exit 42", code=42)
    _run(box, "sh", "-c", "sh -c 'kill -SEGV $$'; exit $?", code=139)
    _run(box, "/no/such/program", code=127)
    return "42, 139 for SIGSEGV, 127 for a missing program"


def _descriptor_limit(box: Sandbox) -> str:
    script = "import os\ntry:\n while True: os.dup(0)\nexcept OSError as e: print(e.strerror)"
    text = _run(box, "sh", "-c", f'ulimit -n 64; python3 -c "{script}"')
    return _expect(text == "Too many open files", f"64 descriptors, then: {text}")


def _time_limit(box: Sandbox) -> str:
    result = box.run(["sh", "-c", "while :; do :; done"], timeout=0.5)
    return _expect(result.timed_out and result.exit_code == 137, "an endless loop was killed after 0.5 s with 137")


def _pipeline(box: Sandbox) -> str:
    text = _run(box, "bash", "-c", "seq 1 1000 | grep 7 | sort -rn | head -1 | tr 9 x")
    return _expect(text == "xx7", "seq | grep | sort | head | tr")


CHECKS = (
    Check("kernel name", _kernel),
    Check("pid 1", _first_process),
    Check("hidden host files", _hidden_files),
    Check("writes stay inside", _writes_stay),
    Check("pipeline", _pipeline),
    Check("threads", _threads),
    Check("compiler", _compiler),
    Check("exit status", _exit_status),
    Check("descriptor limit", _descriptor_limit),
    Check("time limit", _time_limit),
)


def walk(box: Sandbox) -> Iterator[tuple[str, bool, str, float]]:
    """Run every check; yield its label, whether it held, what was seen and the seconds it took."""
    for check in CHECKS:
        start = time.monotonic()
        try:
            good, text = True, check.body(box)
        except CheckFailed as error:
            good, text = False, str(error)
        yield check.label, good, text, time.monotonic() - start


def _print_row(label: str, good: bool, text: str, seconds: float) -> None:
    mark = "ok  " if good else "FAIL"
    if sys.stdout.isatty():
        mark = f"\033[{32 if good else 31}m{mark}\033[0m"
    print(f"{mark} {label:<20} {seconds * 1000:7.0f} ms  {text}", flush=True)  # noqa: T201


def main() -> int:
    """Walk the tour; return 0 if every check held, 1 if one failed, 125 if there is no sandbox at all."""
    start = time.monotonic()
    failed = 0
    try:
        with Sandbox("host") as box:
            _print_row(
                "start",
                True,
                f"a sandbox on this machine's file system, platform {box.info.get('platform', '?')}",
                time.monotonic() - start,
            )
            for label, good, text, seconds in walk(box):
                failed += not good
                _print_row(label, good, text, seconds)
    except SandboxError as error:
        print(f"sandboxctl: {error}", file=sys.stderr)  # noqa: T201
        return 125
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} checks hold, {time.monotonic() - start:.1f} s")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
