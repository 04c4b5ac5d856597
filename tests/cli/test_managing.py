"""The everyday commands that manage sandboxes: create, start, attach, pause, top, stats, events, rename, update, inspect."""

import json
import os
import pty
import re
import signal
import subprocess

import pytest

from .conftest import SANDBOXCTL, TIME_MAX

COUNTER = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done"


def test_what_is_created_starts_later_with_our_streams(call):
    name = call.name("made")
    ident = call("create", "-i", "--name", name, "--label", "a=b", "host", "--", "sh", "-c", "cat; echo err >&2; exit 3").stdout
    assert call("ps", "-a", "--filter", f"name={name}", "--format", "{{.Status}} {{.Pid}}").stdout == "Created 0\n"
    done = call("start", "-ai", name, input="through\n", status=3)
    assert (done.stdout, done.stderr) == ("through\n", "err\n")
    assert call("start", "-ai", name, status=3, stdin=subprocess.DEVNULL).stderr == "err\n"
    told = json.loads(call("inspect", ident.strip()).stdout)[0]
    assert (told["Name"], told["State"]["Status"], told["State"]["ExitCode"]) == (name, "exited", 3)
    assert (told["Config"]["Cmd"][0], told["Config"]["Labels"]) == ("sh", {"a": "b"})
    assert "not found in $PATH" in call("start", missing(call), status=127).stderr


def missing(call):
    name = call.name("missing")
    call("create", "--name", name, "host", "--", "no-such-program")
    return name


def test_a_terminal_is_attached_and_left_by_keys(call):
    name = call.name("terminal")
    call("run", "-dit", "--name", name, "host", "--", "sh", "-c", "read line; echo got $line; read line; exit 4")
    for typed, rest, status in ((b"one\n", b"\x10\x11", 0), (b"two\n", b"", 4)):
        pid, screen = pty.fork()
        if pid == 0:
            os.execve(SANDBOXCTL, ["sandboxctl", "attach", name], call.environment)
        os.write(screen, typed)
        seen = b""
        while b"got one\r\n" not in seen and rest:
            seen += os.read(screen, 1000)
        os.write(screen, rest)
        drain(screen)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == status
    assert call("wait", name).stdout == "4\n"


def drain(screen):
    try:
        while os.read(screen, 1000):
            pass
    except OSError:
        os.close(screen)


def test_attach_shows_both_streams_and_passes_signals(call):
    name = call.name("streams")
    program = "trap 'echo last; exit 6' TERM; while :; do echo out; echo err >&2; sleep 0.05; done"
    call("run", "-d", "--name", name, "host", "--", "sh", "-c", program)
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([SANDBOXCTL, "attach", name], env=call.environment, **pipes) as process:
        assert process.stdout.readline() == b"out\n"
        assert process.stderr.readline() == b"err\n"
        process.terminate()
        out, _ = process.communicate(timeout=TIME_MAX)
    assert out.endswith(b"last\n")
    assert process.returncode == 6
    assert "not running" in call("attach", name, status=125).stderr


def test_a_paused_sandbox_stands_still(call):
    name = call.name("still")
    call("run", "-d", "--name", name, "host", "--", "sh", "-c", COUNTER)
    while not call("logs", name).stdout:
        pass
    call("pause", name)
    assert call("ps", "--filter", f"name={name}", "--format", "{{.State}} {{.Status}}").stdout.endswith("(Paused)\n")
    call("logs", name)  # what was written before the last program stood still has arrived by now
    before = call("logs", name).stdout
    assert "paused" in call("exec", name, "true", status=125).stderr
    assert "paused" in call("pause", name, status=125).stderr
    assert json.loads(call("top", name, "--format", "json").stdout)[0]["PID"] == 1
    assert call("logs", name).stdout == before
    call("unpause", name)
    while call("logs", name).stdout == before:
        pass
    numbers = [int(line) for line in call("logs", name).stdout.split()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert "not paused" in call("unpause", name, status=125).stderr
    call("pause", name)
    call("kill", name)
    assert call("wait", name).stdout == "137\n"


def test_exec_joins_the_processes(call):
    name = call.name("joined")
    call("run", "-d", "--name", name, "host", "--", "sleep", "1000")
    seen = call("exec", name, "ps", "-e", "-o", "pid=,ppid=,comm=").stdout
    assert [line.split() for line in seen.splitlines()] == [["1", "0", "sleep"], [str(int(seen.split()[3])), "0", "ps"]]
    assert call("exec", name, "sh", "-c", "kill -0 1 && echo reached").stdout == "reached\n"
    call("exec", "-d", name, "sh", "-c", "sleep 999")
    rows = json.loads(call("top", name, "pid", "ppid", "args", "--format", "json").stdout)
    assert any(row["COMMAND"] == "sleep 1000" and row["PID"] == 1 for row in rows)
    call("kill", name)
    assert call("wait", name).stdout == "137\n"


def test_top_and_stats_and_metrics_tell_of_the_processes(call):
    name = call.name("figures")
    call("run", "-d", "--name", name, "-m", "256m", "host", "--", "sh", "-c", "sleep 1000 | cat")
    call.until("3\n", "stats", "--no-stream", "--format", "{{.PIDs}}", name)
    lines = call("top", name).stdout.splitlines()
    assert lines[0].split() == ["USER", "PID", "PPID", "%CPU", "ELAPSED", "TTY", "TIME", "COMMAND"]
    assert len(lines) == 4
    row = json.loads(call("stats", "--no-stream", "--format", "json", name).stdout)[0]
    assert row["MemLimit"] == 256 << 20
    assert 0 < row["MemUsageBytes"] < 256 << 20
    figures = call("metrics").stdout
    assert re.search(rf'^sandboxctl_processes\{{.*name="{name}".*\}} 3\.0$', figures, re.MULTILINE)
    assert 'sandboxctl_sandboxes{state="running"} ' in figures
    told = json.loads(call("debug", name, "--format", "json").stdout)
    assert {task["call"] for task in told["tasks"] if task["is_waiting"] and task["name"] == "cat"} <= {"read"}
    assert "no field" in call("top", name, "nonsense", status=125).stderr


def test_names_and_policies_change(call):
    name, other = call.name("old"), call.name("new")
    call.names.append(other)
    call("run", "-d", "--name", name, "--pids-limit", "50", "host", "--", "sleep", "1000")
    call("rename", name, other)
    assert call("ps", "--filter", f"name={other}", "--format", "{{.Names}}").stdout == f"{other}\n"
    call("update", "--restart", "on-failure:3", other)
    assert "memory limit" in call("update", "-m", "64m", other, status=125).stderr
    policy = json.loads(call("inspect", "--format", "json", other).stdout)[0]["HostConfig"]["RestartPolicy"]
    assert policy == {"Name": "on-failure", "MaximumRetryCount": 3}
    call("stop", "-t", "0", other)
    call("rename", other, name)
    assert call("inspect", "--format", "{{.Name}} {{.RestartCount}}", name).stdout == f"{name} 0\n"
    assert "no sandbox or image" in call("inspect", other, status=125).stderr


def test_a_policy_starts_it_again(call):
    name = call.name("again")
    call("run", "-d", "--name", name, "--restart", "on-failure:2", "host", "--", "sh", "-c", "echo run; exit 5")
    assert call("wait", name).stdout == "5\n"
    assert call("logs", name).stdout == "run\n" * 3
    assert call("inspect", "--format", "{{.RestartCount}}", name).stdout == "2\n"
    always = call.name("always")
    call("run", "-d", "--name", always, "--restart", "always", "host", "--", "sh", "-c", "echo run; sleep 1000")
    call.until("run\n", "logs", always)
    call("kill", always)
    assert call("wait", always).stdout == "137\n"
    both = ("run", "-d", "--rm", "--restart", "always", "--name", call.name("x"), "host", "ls")
    assert "contradict" in call(*both, status=125).stderr


def test_events_tell_what_happened(call):
    name = call.name("told")
    call("run", "-d", "--name", name, "--label", "k=v", "host", "--", "sleep", "1000")
    call("pause", name)
    call("unpause", name)
    call("rm", "-f", name)
    words = ("events", "--no-stream", "--filter", f"container={name}")
    told = call(*words, "--format", "{{.Status}}").stdout.split()
    assert told == ["create", "start", "pause", "unpause", "died", "remove"]
    last = json.loads(call(*words, "--filter", "event=died", "--format", "json").stdout)
    assert (last["Name"], last["Attributes"]) == (name, {"k": "v", "exitCode": "137"})
    assert call(*words, "--until", "2020-01-01T00:00:00Z").stdout == ""


def test_a_time_limit_ends_a_detached_sandbox(call):
    name = call.name("late")
    call("run", "-d", "--name", name, "--timeout", "200ms", "host", "--", "sleep", "1000")
    assert call("wait", name).stdout == "137\n"
    assert "longer than 0.2 s" in call("inspect", "--format", "{{.State.Error}}", name).stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("attach", "--detach-keys", "ctrl-1", "x"), "--detach-keys"),
        (("events", "--filter", "nonsense=1"), "--filter"),
        (("update", "x"), "nothing to change"),
        (("start", "x"), "no sandbox"),
        (("rename", "x", "a b"), "--name"),
        (("run", "-d", "--name", "x", "--restart", "often", "host", "ls"), "--restart"),
        (("run", "--name", "x", "--security-opt", "seccomp=x.json", "host", "ls"), "--security-opt"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, words, reason):
    found = call(*words, status=125).stderr
    assert reason in found
    assert found.count("\n") == 1


def test_info_counts_them(call):
    name = call.name("counted")
    call("create", "--name", name, "host", "true")
    told = json.loads(call("info").stdout)
    assert told["store"]["containerStore"]["created"] >= 1
    assert call("info", "--format", "{{.host.arch}}").stdout == "amd64\n"


def test_a_crash_leaves_a_report(call):
    name = call.name("crash")
    call("run", "-d", "--name", name, "host", "--", "sleep", "1000")
    keeper = int(call("inspect", "--format", "{{.State.Pid}}", name).stdout)
    with open(f"/proc/{keeper}/task/{keeper}/children", encoding="ascii") as file:
        sentry = int(file.read().split()[0])
    os.kill(sentry, signal.SIGSEGV)
    assert call("wait", name).stdout == "125\n"
    error = call("inspect", "--format", "{{.State.Error}}", name).stdout.strip()
    assert "killed by SIG" in error
    with open(error.rpartition(" ")[2], encoding="utf-8") as file:
        assert "in run_once" in file.read()
