"""The life cycle of runtime.md, one rule a test."""

import json
import os
import signal

import pytest


def test_created_is_not_yet_running(oci, tmp_path):
    output = tmp_path / "out"
    pid = oci.create("c1", ["/bin/echo", "hello"], output=output, annotations={"a": "b"})
    state = oci.state("c1")
    assert (state["id"], state["status"], state["pid"]) == ("c1", "created", pid)
    assert (state["bundle"], state["annotations"]) == (str(tmp_path), {"a": "b"})
    os.kill(pid, 0)
    assert output.read_text() == ""
    oci.call("start", "c1")
    state = oci.wait("c1")
    assert (state["status"], state["pid"]) == ("stopped", 0)
    assert output.read_text() == "hello\n"
    oci.call("delete", "c1")
    assert "does not exist" in oci.call("state", "c1", status=1).stderr


def test_an_id_is_unique(oci):
    oci.create("c1", ["/bin/true"])
    assert "exists" in oci.call("create", "--bundle", oci.folder, "c1", status=1).stderr


@pytest.mark.parametrize("ident", ["", "../x", "a/b", ".", "a b"])
def test_ids_are_names(oci, ident):
    assert "invalid container id" in oci.call("state", ident, status=1).stderr


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["no-such-program"], "executable file not found in $PATH"),
        (["/none/program"], "no such file or directory"),
        (["/etc/passwd"], "permission denied"),
    ],
)
def test_a_program_that_cannot_run_fails_at_create(oci, argv, reason):
    oci.create("c1", argv, status=1)
    log = json.loads((oci.folder / "log").read_text())
    assert (log["level"], reason in log["msg"]) == ("error", True)
    assert oci.call("list", "-q").stdout == ""


def test_start_needs_created(oci):
    oci.create("c1", ["/bin/sleep", "100"])
    oci.call("start", "c1")
    assert "cannot start a container that is running" in oci.call("start", "c1", status=1).stderr
    oci.call("kill", "c1", "KILL")
    oci.wait("c1")
    assert "stopped" in oci.call("start", "c1", status=1).stderr
    assert "container not running" in oci.call("kill", "c1", "9", status=1).stderr


def test_delete_needs_stopped(oci):
    oci.create("c1", ["/bin/sleep", "100"])
    oci.call("start", "c1")
    assert "not stopped" in oci.call("delete", "c1", status=1).stderr
    oci.call("delete", "--force", "c1")
    assert "does not exist" in oci.call("delete", "c1", status=1).stderr
    oci.call("delete", "--force", "c1")


def test_kill_reaches_a_created_container(oci):
    oci.create("c1", ["/bin/sleep", "100"])
    oci.call("kill", "c1", "TERM")
    assert oci.wait("c1")["status"] == "stopped"


def test_the_state_is_right_after_the_keeper_was_killed(oci):
    pid = oci.create("c1", ["/bin/sleep", "100"])
    oci.call("start", "c1")
    os.kill(pid, signal.SIGKILL)
    assert oci.wait("c1")["pid"] == 0
    oci.call("delete", "c1")


def test_exec_joins_the_files_and_returns_the_status(oci):
    oci.create("c1", ["/bin/sleep", "100"])
    oci.call("start", "c1")
    assert oci.call("exec", "-e", "A=1", "c1", "/bin/sh", "-c", "echo $A; touch /tmp/seen; exit 4", status=4).stdout == "1\n"
    assert oci.call("exec", "c1", "/bin/sh", "-c", "echo /tmp/*").stdout == "/tmp/seen\n"
    assert "executable file not found" in oci.call("exec", "c1", "none", status=1).stderr


def test_hooks_run_in_order_with_the_state(oci, tmp_path):
    kinds = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")
    log = tmp_path / "hooks"
    hooks = {
        kind: [{"path": "/bin/sh", "args": ["sh", "-c", f"(echo {kind}; cat; echo) >>{log}"], "env": ["PATH=/bin:/usr/bin"]}]
        for kind in kinds
    }
    pid = oci.create("c1", ["/bin/sleep", "100"], hooks=hooks)
    oci.call("start", "c1")
    oci.call("delete", "--force", "c1")
    lines = log.read_text().splitlines()
    assert tuple(lines[::2]) == kinds
    states = [json.loads(line) for line in lines[1::2]]
    assert [state["status"] for state in states] == ["created"] * 3 + ["running", "stopped"]
    assert [state["pid"] for state in states] == [pid] * 4 + [0]


def test_a_hook_that_fails_undoes_the_creation(oci):
    oci.create("c1", ["/bin/true"], status=1, hooks={"createRuntime": [{"path": "/bin/false"}]})
    assert oci.call("list", "-q").stdout == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"linux": {"namespaces": []}}, "host's network is refused"),
        ({"root": {"path": "/none"}}, "no such file or directory"),
        ({"mounts": [{"destination": "/x", "type": "bind", "source": "/dev/null"}]}, "neither a folder nor a regular file"),
        ({"mounts": [{"destination": "/x", "type": "nfs", "source": "x"}]}, "not supported"),
        ({"process": {"args": []}}, "process.args"),
        ({"process": {"terminal": True}}, "--console-socket"),
    ],
)
def test_what_cannot_be_given_is_refused(oci, changes, reason):
    oci.create("c1", ["/bin/true"], status=1, **changes)
    assert reason in json.loads((oci.folder / "log").read_text())["msg"]
