"""`--trace-json` and `--strace`: what programs did, and that strace itself says the same of 20 programs."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SANDBOXCTL = Path(sys.executable).with_name("sandboxctl")


def test_events_are_one_json_object_a_line(tmp_path):
    log = tmp_path / "log"
    program = "cat /nowhere; kill -USR1 $$ & wait; (exit 3); exit 5"
    done = subprocess.run(
        [SANDBOXCTL, "run", "--trace-json", "--log-file", log, "host", "--", "/bin/sh", "-c", f"trap : USR1; {program}"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert done.returncode == 5
    assert done.stderr == "cat: /nowhere: No such file or directory\n"
    opened = [event for event in events if event.get("call") == "openat" and '"/nowhere"' in event["arguments"].values()]
    assert [event["errno"] for event in opened] == ["ENOENT"]
    assert any(event["event"] == "exec" and '"/usr/bin/cat"' in event["arguments"].values() for event in events)
    assert any(event["event"] == "signal" and event["signal"] == "SIGUSR1" for event in events)
    assert {event["status"] for event in events if event["event"] == "exit"} >= {3, 5}
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)


def test_only_one_kind_of_trace():
    done = subprocess.run([SANDBOXCTL, "run", "--strace", "--trace-json", "host", "--", "true"], capture_output=True, text=True)
    assert done.returncode == 125
    assert "choose one" in done.stderr


#: programs of one process, whose calls do not depend on how long anything takes
PROGRAMS = (
    "true", "echo hello", "cat /etc/passwd", "ls /etc/alternatives", "id -u", "dirname /a/b", "uname -s", "wc -l /etc/group",
    "head -n 2 /etc/passwd", "tail -n 2 /etc/passwd", "stat -c %s /etc/passwd", "readlink /etc/alternatives/awk", "basename /a/b",
    "seq 5", "test -e /none", "cmp /etc/passwd /etc/group", "sort /etc/group", "cut -d: -f1 /etc/passwd", "mkdir made",
    "grep -c root /etc/passwd",
)  # fmt: skip
#: calls whose line is compared, and the fields of it that are the same on two correct kernels
_COMPARED = (
    "openat", "access", "lseek", "write", "mkdir", "readlink", "fadvise64", "getuid", "geteuid", "dup2", "close",
)  # fmt: skip
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_COMMENT = re.compile(r" \([^()]*\)$")


def normal(line: str) -> str:
    """A line without what differs from run to run and from one program's style to the other's."""
    text = _COMMENT.sub("", line.strip())
    text = re.sub(r"^\[\d+\] ", "", text)
    text = re.sub(r"\s+= ", " = ", text)
    text = re.sub(r"= \?$", "= 0", text)
    text = re.sub(r"[A-Z_]+(\|[A-Z_]+)+", lambda flags: "|".join(sorted(flags[0].split("|"))), text)
    return _ADDRESS.sub("ADDR", re.sub(r"\b0o?(\d+)", r"0\1", text))


def compared(lines: list[str]) -> list[str]:
    found = [normal(line) for line in lines]
    first = next((number for number, line in enumerate(found) if "ld.so.cache" in line), 0)
    return [line for line in found[first:] if line.partition("(")[0] in _COMPARED]


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_strace_says_the_same(program: str, tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("not installed: strace")
    words = program.split()
    words[0] = f"/usr/bin/{words[0]}" if Path(f"/usr/bin/{words[0]}").exists() else f"/bin/{words[0]}"
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C"}
    log = tmp_path / "log"
    ours = tmp_path / "ours"
    native = subprocess.run(["strace", "-o", log, *words], cwd=tmp_path, env=environment, capture_output=True, timeout=120)
    if not log.exists() or "ptrace" in native.stderr.decode():
        pytest.skip("strace may not trace here")
    (tmp_path / "made").rmdir() if (tmp_path / "made").exists() else None
    options = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
    options += ["--log-file", str(ours), "--tmpfs", "/run/work", "-w", "/run/work"]
    done = subprocess.run(
        [SANDBOXCTL, "run", "--strace", *options, "host", "--", *words],
        capture_output=True, timeout=120, env=os.environ,
    )  # fmt: skip
    assert ours.exists(), done.stderr
    assert compared(ours.read_text().splitlines()) == compared(log.read_text().splitlines())
