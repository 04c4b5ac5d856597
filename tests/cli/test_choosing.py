"""The options by which management commands choose sandboxes, and what ps, top, logs, wait and version show; podman's meaning."""

import json
import re

import pytest


@pytest.fixture
def three(call):
    """The names of three running sandboxes, in the order of their making."""
    names = [call.name(f"chosen{number}") for number in range(3)]
    for name in names:
        call("run", "-d", "--name", name, "--label", f"which={name}", "host", "--", "sh", "-c", "echo said; exec sleep 1000")
    return names


def mine(call, three):
    """The sandboxes of this test are all there are: it has a state folder of its own unless it runs as root."""
    return [name for name in call("ps", "-a", "--format", "{{.Names}}", "--sort", "names").stdout.split() if name in three]


def test_many_at_once(call, three, tmp_path):
    first, second, third = three
    label = f"label=which={second}"
    found = call("pause", "--filter", label).stdout.strip()
    assert call("inspect", "--format", "{{.Name}} {{.State.Status}}", found).stdout == f"{second} paused\n"
    assert mine(call, three) == three
    assert call("ps", "--filter", label, "--filter", "status=paused", "--format", "{{.Names}}").stdout == f"{second}\n"
    between = ("--filter", f"since={first}", "--filter", f"before={third}")
    assert call("ps", *between, "--format", "{{.Names}}").stdout == f"{second}\n"
    call("unpause", second)
    done = call("kill", "--signal", "KILL", first, "nobody", status=125)
    assert (done.stdout, done.stderr.count("\n")) == (f"{first}\n", 1)
    assert call("wait", first).stdout == "137\n"
    assert call("ps", "-q", "--no-trunc", "--filter", "exited=137", "--filter", f"name={first}").stdout.count("\n") == 1
    (tmp_path / "id").write_text(call("inspect", "--format", "{{.Id}}", second).stdout)
    call("stop", "--time", "0", "--ignore", "nobody", "--cidfile", str(tmp_path / "id"))
    call("start", first, second)
    assert call("wait", "--condition", "running", "--interval", "10", second).stdout == "-1\n"
    call("rm", "--time", "0", third)
    assert mine(call, three) == [first, second]
    call("rm", "--force", "--filter", f"label=which={first}", "--filter", f"label=which={second}")
    assert mine(call, three) == [first, second]  # two labels: both must hold
    for name in (first, second):
        call("rm", "--force", "--filter", f"label=which={name}")
    assert mine(call, three) == []


def test_what_is_told_of_one(call):
    name = call.name("told")
    call("run", "-d", "--name", name, "--annotation", "a=b", "host", "--", "sh", "-c", "echo said; exec sleep 1000")
    call.until(f"{name} said\n", "logs", "--names", name)
    assert call("logs", "--since", "1h", name).stdout == "said\n"
    assert call("logs", "--until", "1h", name).stdout == ""
    assert call("top", name, "%p", "comm,ruser").stdout.split("\n")[1].split() == ["1", "sleep", "0"]
    assert call("top", name, "capbnd", "groups").stdout.startswith("BOUNDING CAPS")
    assert call("top", name, "-eo", "pid,comm").stdout.split("\n")[1].split() == ["1", "sleep"]
    assert call("inspect", "--format", "{{.Config.Annotations.a}}", name).stdout == "b\n"
    assert "0 B" in call("ps", "--size", "--filter", f"name={name}").stdout


def test_version_has_a_format(call):
    assert re.fullmatch(r"[0-9.]+\n", call("version", "--format", "{{.Client.Version}}").stdout)
    assert json.loads(call("version", "--format", "json").stdout)["Client"]["OsArch"] == "linux/amd64"


def test_options_of_run(call):
    name = call.name("options")
    words = ("--umask", "077", "--tz", "Asia/Tokyo", "--sysctl", "kernel.msgmax=9000", "--no-healthcheck")
    script = "umask; date +%Z; cat /proc/sys/kernel/msgmax"
    seen = call("run", "--name", name, *words, "--pid", "private", "host", "--", "sh", "-c", script)
    assert seen.stdout == "0077\nJST\n9000\n"
    kept = ("run", "--name", name, "--detach-keys", "ctrl-p", "host", "--")
    assert call(*kept, "sh", "-c", "echo hi; exit 3", status=3).stdout == "hi\n"
    assert name not in call("ps", "-a", "--format", "{{.Names}}").stdout.split()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("run", "--name", "x", "--umask", "9", "host", "true"), "--umask"),
        (("run", "--name", "x", "--tz", "../x", "host", "true"), "--tz"),
        (("run", "--name", "x", "--tz", "No/Where", "host", "true"), "tzdata"),
        (("run", "--name", "x", "--sysctl", "a", "host", "true"), "--sysctl"),
        (("run", "--name", "x", "--pid", "host", "host", "true"), "kernel of its own"),
        (("run", "--name", "x", "--health-cmd", "true", "host", "true"), "sandboxctl exec"),
        (("run", "--name", "x", "--cgroup-parent", "x", "host", "true"), "--memory"),
        (("stop",), "name a sandbox"),
        (("stop", "--all", "x"), "--all"),
        (("rm", "--filter", "nonsense=1"), "--filter"),
        (("wait", "--condition", "nonsense", "x"), "--condition"),
        (("kill", "--cidfile", "/nonexistent"), "--cidfile"),
        (("start", "-a", "--all"), "only one"),
        (("logs", "-f", "--until", "soon", "x"), "--until"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, words, reason):
    found = call(*words, status=125).stderr
    assert reason in found
    assert found.count("\n") == 1
