"""`sandboxctl run -d` and what manages a detached sandbox."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SANDBOXCTL = Path(sys.executable).with_name("sandboxctl")


@pytest.fixture
def call(tmp_path):
    """Runs sandboxctl with a state folder of its own (an ordinary user's comes from the environment)."""
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    names = []

    def run(*words, status=0):
        if words[0] == "run":
            names.append(words[words.index("--name") + 1])
        done = subprocess.run([SANDBOXCTL, *words], capture_output=True, text=True, timeout=60, check=False, env=environment)
        assert done.returncode == status, done.stderr
        return done

    yield run
    for name in names:
        run("rm", "--force", name)


def unique(word):
    return f"{word}-{os.getpid()}-{time.monotonic_ns()}"


def test_a_sandbox_goes_on_and_is_found_again(call, tmp_path):
    name = unique("on")
    cidfile = tmp_path / "cid"
    words = ("--label", "a=b", "--cidfile", str(cidfile), "host", "--", "/bin/sh", "-c", "echo out; echo err >&2; sleep 100")
    ident = call("run", "-d", "--name", name, *words).stdout.strip()
    assert cidfile.read_text() == ident
    row = json.loads(call("ps", "--filter", f"name={name}", "--format", "json").stdout)[0]
    assert (row["ID"], row["State"], row["Image"], row["Labels"]) == (ident, "running", "host", {"a": "b"})
    assert call("exec", name, "echo", "inside").stdout == "inside\n"
    call("exec", name, "/bin/sh", "-c", "exit 7", status=7)
    assert "not found in $PATH" in call("exec", name, "no-such-program", status=127).stderr
    call("exec", "-w", "/tmp", name, "touch", "seen")
    assert call("exec", "-e", "A=1", name, "/bin/sh", "-c", "ls /tmp/seen; echo $A").stdout == "/tmp/seen\n1\n"
    assert "is running" in call("rm", name, status=125).stderr
    call("stop", "-t", "0", name)
    assert call("wait", name).stdout == "137\n"
    logs = call("logs", ident[:12])
    assert (logs.stdout, logs.stderr) == ("out\n", "err\n")
    assert call("logs", "--follow", "--tail", "1", "-t", name).stdout.count("\n") <= 1
    call("rm", name)
    assert call("ps", "-a", "-q", "--filter", f"name={name}").stdout == ""


def test_the_exit_status_is_kept(call):
    name = unique("status")
    program = "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    call("run", "-d", "--name", name, "host", "--", "/bin/sh", "-c", program)
    while call("logs", name).stdout != "ready\n":
        pass
    call("kill", "--signal", "TERM", name)
    assert call("wait", name).stdout == "3\n"
    assert "container not running" in call("kill", name, status=125).stderr
    assert call("ps", "-a", "--filter", f"name={name}", "--format", "{{.ExitCode}}").stdout == "3\n"


def test_a_program_that_is_not_there_leaves_nothing(call):
    name = unique("missing")
    assert "not found in $PATH" in call("run", "-d", "--name", name, "host", "--", "no-such-program", status=127).stderr
    assert call("ps", "-a", "-q", "--filter", f"name={name}").stdout == ""


@pytest.mark.parametrize("words", [(), ("--rm",)])
def test_the_state_is_right_after_the_keeper_was_killed(call, words):
    name = unique("lost")
    call("run", "-d", *words, "--name", name, "host", "--", "sleep", "100")
    pid = int(call("ps", "--filter", f"name={name}", "--format", "{{.Pid}}").stdout)
    pidfd = os.pidfd_open(pid)
    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    while call("ps", "-q", "--filter", f"name={name}").stdout:
        pass
    states = call("ps", "-a", "--filter", f"name={name}", "--format", "{{.State}} {{.ExitCode}}").stdout
    assert states == ("" if words else "exited 137\n")
    os.close(pidfd)
