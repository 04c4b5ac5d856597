"""Rules of runtime.md, config.md and config-linux.md of the runtime specification 1.2, one a test, in their order there."""

import json
import os
import socket
import threading

import pytest


def write(oci, **changes):
    """Change what ``bundle`` has written."""
    spec = json.loads((oci.folder / "config.json").read_text())
    (oci.folder / "config.json").write_text(json.dumps({**spec, **changes}))


LINUX = {"namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "mount"}]}


# runtime.md


def test_state_has_the_required_properties(oci):
    oci.create("c1", ["/bin/true"])
    state = oci.state("c1")
    assert {"ociVersion", "id", "status", "pid", "bundle"} <= state.keys()
    assert state["ociVersion"].startswith("1.")


def test_state_of_what_is_not_there_is_an_error(oci):
    assert "does not exist" in oci.call("state", "nobody", status=1).stderr


def test_create_without_an_id_is_an_error(oci):
    assert "no container id" in oci.call("create", "--bundle", oci.folder, status=1).stderr


def test_create_without_a_configuration_is_an_error(oci, tmp_path):
    assert "config.json" in oci.call("create", "--bundle", tmp_path / "none", "c1", status=1).stderr


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ociVersion": "9.0"}', "{}"])
def test_create_with_a_broken_configuration_is_an_error(oci, text):
    (oci.folder / "config.json").write_text(text)
    oci.call("create", "--bundle", oci.folder, "c1", status=1)
    assert oci.call("list", "-q").stdout == ""


def test_unknown_properties_are_ignored(oci):
    assert oci.lines("echo fine", **{"org.example.unknown": {"a": 1}}) == ["fine"]


def test_changes_after_create_have_no_effect(oci):
    output = oci.folder / "printed"
    oci.create("c1", ["/bin/echo", "first"], output=output)
    write(oci, process={"args": ["/bin/echo", "second"], "cwd": "/"})
    oci.call("start", "c1")
    oci.wait("c1")
    assert output.read_text() == "first\n"


def test_start_of_what_is_not_there_is_an_error(oci):
    assert "does not exist" in oci.call("start", "nobody", status=1).stderr


def test_kill_sends_the_signal(oci):
    output = oci.folder / "printed"
    script = "trap 'echo usr1; exit 4' USR1; echo ready; while :; do sleep 0.05; done"
    pid = oci.create("c1", ["/bin/sh", "-c", script], output=output)
    oci.call("start", "c1")
    while not output.read_text():
        pass
    oci.call("kill", "c1", "SIGUSR1")
    oci.wait("c1")
    assert output.read_text() == "ready\nusr1\n"
    assert pid


def test_kill_of_what_has_stopped_is_an_error(oci):
    oci.lines("exit 0")
    assert "not running" in oci.call("kill", "c1", "KILL", status=1).stderr


def test_an_unknown_signal_is_an_error(oci):
    oci.create("c1", ["/bin/sleep", "1000"])
    assert "unknown signal" in oci.call("kill", "c1", "NOSUCH", status=1).stderr


def test_an_id_can_be_used_again_after_delete(oci):
    assert oci.lines("echo one") == ["one"]
    oci.call("delete", "c1")
    assert oci.lines("echo two") == ["two"]


def test_delete_of_what_is_not_there_is_an_error(oci):
    assert "does not exist" in oci.call("delete", "nobody", status=1).stderr


def test_a_poststart_hook_that_fails_stops_nothing(oci):
    oci.create("c1", ["/bin/sleep", "1000"], hooks={"poststart": [{"path": "/bin/false"}]})
    assert "poststart hook" in oci.call("start", "c1").stderr
    assert oci.state("c1")["status"] == "running"


def test_a_poststop_hook_that_fails_is_only_told(oci):
    oci.create("c1", ["/bin/true"], hooks={"poststop": [{"path": "/bin/false"}]})
    assert "poststop hook" in oci.call("delete", "--force", "c1").stderr
    oci.call("state", "c1", status=1)


def test_start_container_hooks_run_inside_before_the_program(oci):
    inside = {"path": "/bin/sh", "args": ["sh", "-c", "cat >/tmp/state; echo $A >/tmp/env"], "env": ["A=b", "PATH=/bin"]}
    printed = oci.lines("cat /tmp/env; cat /tmp/state", hooks={"startContainer": [inside]})
    assert printed[0] == "b"
    assert json.loads(printed[1])["id"] == "c1"


def test_a_start_container_hook_that_fails_ends_the_container(oci):
    oci.create("c1", ["/bin/echo", "never"], hooks={"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "exit 3"]}]})
    assert "status 3" in oci.call("start", "c1", status=1).stderr
    assert oci.wait("c1")["status"] == "stopped"


def test_a_hook_has_a_time_limit(oci):
    hook = {"path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}
    oci.create("c1", ["/bin/true"], status=1, hooks={"prestart": [hook]})
    assert "longer than" in json.loads((oci.folder / "log").read_text())["msg"]


# config.md


def test_the_root_is_relative_to_the_bundle(oci):
    assert oci.lines("echo fine", root={"path": "rootfs"}) == ["fine"]


def test_a_read_only_root(oci):
    assert oci.lines("touch /x 2>/dev/null || echo refused", root={"path": "rootfs", "readonly": True}) == ["refused"]


def test_mounts_come_in_their_order_with_their_options(oci, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/file").write_text("shared\n")
    mounts = [
        {"destination": "/a", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "mode=711"]},
        {"destination": "/a/b", "type": "bind", "source": "data", "options": ["rbind", "ro"]},
    ]
    script = "cat /a/b/file; touch /a/b/x 2>/dev/null || echo refused; stat -c %a /a"
    (oci.rootfs / "bin/stat").symlink_to("busybox")
    assert oci.lines(script, mounts=mounts) == ["shared", "refused", "711"]


def test_the_program_gets_cwd_env_and_identity(oci):
    user = {"uid": 7, "gid": 8, "additionalGids": [9, 10], "umask": 0o027}
    process = {"user": user, "cwd": "/tmp", "env": ["PATH=/bin", "A=b c"]}
    printed = oci.lines("pwd; echo $A; id; umask", process=process)
    assert printed == ["/tmp", "b c", "uid=7 gid=8 groups=9,10", "0027"]


def test_a_relative_cwd_is_an_error(oci):
    oci.create("c1", ["/bin/true"], status=1, process={"cwd": "tmp"})


def test_rlimits_are_set(oci):
    limits = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]
    assert oci.lines("ulimit -n; ulimit -Hn; ulimit -c", process={"rlimits": limits}) == ["100", "200", "0"]


@pytest.mark.parametrize(
    "limits",
    [
        [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1}, {"type": "RLIMIT_NOFILE", "soft": 2, "hard": 2}],
        [{"type": "RLIMIT_NOTHING", "soft": 1, "hard": 1}],
        [{"type": "PRIO_USER", "soft": 1, "hard": 1}],
    ],
)
def test_rlimits_twice_or_unknown_are_an_error(oci, limits):
    oci.create("c1", ["/bin/true"], status=1, process={"rlimits": limits})


def test_capabilities_are_those_that_are_given(oci):
    process = {"capabilities": {kind: ["CAP_KILL", "CAP_CHOWN"] for kind in ("bounding", "effective", "permitted")}}
    assert oci.lines("grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status", process=process) == [
        f"Cap{kind}:\t0000000000000021" for kind in ("Prm", "Eff", "Bnd")
    ]


def test_ambient_capabilities_are_kept_by_a_user(oci):
    given = {kind: ["CAP_KILL"] for kind in ("effective", "permitted", "inheritable", "ambient")}
    process = {"user": {"uid": 7, "gid": 7}, "capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"], **given}}
    assert oci.lines("grep -E '^Cap' /proc/self/status", process=process) == [
        f"Cap{kind}:\t{mask:016x}" for kind, mask in (("Inh", 0x20), ("Prm", 0x20), ("Eff", 0x20), ("Bnd", 0x21), ("Amb", 0x20))
    ]


def test_ambient_capabilities_must_be_inheritable(oci):
    process = {"user": {"uid": 7, "gid": 7}, "capabilities": {"bounding": ["CAP_KILL"], "ambient": ["CAP_KILL"]}}
    assert oci.lines("grep -E '^Cap(Eff|Amb)' /proc/self/status", process=process) == [
        f"Cap{kind}:\t0000000000000000" for kind in ("Eff", "Amb")
    ]


def test_exec_has_the_capabilities_of_its_process(oci):
    kinds = ("bounding", "effective", "permitted")
    mine = {kind: ["CAP_KILL", "CAP_CHOWN"] for kind in kinds}
    oci.create("c1", ["/bin/sleep", "100"], process={"capabilities": mine, "oomScoreAdj": 17})
    oci.call("start", "c1")
    process = {"args": ["/bin/sh", "-c", "grep -E '^Cap(Eff|Bnd)' /proc/self/status; cat /proc/self/oom_score_adj"], "cwd": "/"}
    file = oci.folder / "process.json"

    def ask(status=0, **more):
        file.write_text(json.dumps({**process, "env": ["PATH=/bin"], **more}))
        return oci.call("exec", "--process", file, "c1", status=status)

    fewer = {kind: ["CAP_KILL"] for kind in kinds}
    assert ask(capabilities=fewer, oomScoreAdj=-5).stdout.split() == ["CapEff:", f"{0x20:016x}", "CapBnd:", f"{0x20:016x}", "-5"]
    assert ask().stdout.split() == ["CapEff:", f"{0x21:016x}", "CapBnd:", f"{0x21:016x}", "17"]
    assert "--cap-add" in ask(capabilities={kind: ["CAP_NET_RAW"] for kind in kinds}, status=1).stderr


def test_the_score_of_the_memory_killer(oci):
    assert oci.lines("cat /proc/self/oom_score_adj", process={"oomScoreAdj": -998}) == ["-998"]
    oci.create("c2", ["/bin/true"], status=1, process={"oomScoreAdj": 1001})


def test_devices_that_every_sandbox_has_and_ids_mapped_to_themselves(oci):
    null = {"path": "/dev/null", "type": "c", "major": 1, "minor": 3}
    same = [{"containerID": 0, "hostID": 0, "size": 4294967295}]
    linux = {**LINUX, "devices": [null], "uidMappings": same}
    assert oci.lines("echo yes >/dev/null; echo no", linux=linux) == ["no"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}]}, "linux.devices: /dev/fuse"),
        ({"devices": [{"path": "/dev/null", "type": "b", "major": 1, "minor": 3}]}, "linux.devices: /dev/null"),
        ({"uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}]}, "linux.uidMappings"),
        ({"gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}]}, "linux.gidMappings"),
    ],
)
def test_devices_and_mappings_are_refused(oci, settings, reason):
    oci.create("c1", ["/bin/true"], status=1, linux={"namespaces": [{"type": "network"}], **settings})
    assert reason in json.loads((oci.folder / "log").read_text())["msg"]


def test_host_and_domain_name(oci):
    (oci.rootfs / "bin/hostname").symlink_to("busybox")
    assert oci.lines("hostname; cat /proc/sys/kernel/domainname", hostname="here", domainname="there") == ["here", "there"]


def test_annotations_are_in_the_state(oci):
    oci.create("c1", ["/bin/true"], annotations={"org.example.key": "value"})
    assert oci.state("c1")["annotations"] == {"org.example.key": "value"}


def test_a_terminal_goes_to_the_console_socket_with_its_size(oci, tmp_path):
    path = str(tmp_path / "console")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        got = []

        def take():
            peer, _ = listener.accept()
            with peer:
                got.append(socket.recv_fds(peer, 100, 1))

        thread = threading.Thread(target=take)
        thread.start()
        oci.ids.append("c1")
        process = {"terminal": True, "consoleSize": {"height": 33, "width": 77}}
        folder = oci.bundle(["/bin/sh", "-c", "stty size; tty"], process=process)
        (oci.rootfs / "bin/stty").symlink_to("busybox")
        (oci.rootfs / "bin/tty").symlink_to("busybox")
        oci.call("create", "--bundle", folder, "--console-socket", path, "c1")
        thread.join(60)
    name, (master,), *_ = got[0]
    assert name.startswith(b"/dev/")
    oci.call("start", "c1")
    seen = b""
    while b"pts" not in seen:
        seen += os.read(master, 1000)
    assert seen.startswith(b"33 77\r\n/dev/pts/")
    os.close(master)


def test_a_console_socket_that_there_is_not_is_an_error(oci):
    folder = oci.bundle(["/bin/sh"], process={"terminal": True})
    oci.call("create", "--bundle", folder, "--console-socket", folder / "nowhere", "c1", status=1)
    assert "nowhere: No such file" in json.loads((folder / "log").read_text())["msg"]
    assert oci.call("list", "-q").stdout == ""


# config-linux.md


def test_masked_paths_look_empty(oci):
    (oci.rootfs / "secret").mkdir()
    (oci.rootfs / "secret/file").write_text("x")
    linux = {**LINUX, "maskedPaths": ["/secret", "/etc/passwd", "/nowhere"]}
    (oci.rootfs / "bin/ls").symlink_to("busybox")
    assert oci.lines("ls /secret; cat /etc/passwd; touch /secret/x 2>/dev/null || echo refused", linux=linux) == ["refused"]


def test_read_only_paths_cannot_be_changed(oci):
    linux = {**LINUX, "readonlyPaths": ["/etc", "/nowhere"]}
    assert oci.lines("touch /etc/x 2>/dev/null || echo refused; touch /tmp/x && echo done", linux=linux) == ["refused", "done"]


def test_a_namespace_twice_is_an_error(oci):
    oci.create("c1", ["/bin/true"], status=1, linux={"namespaces": [*LINUX["namespaces"], {"type": "pid"}]})
    assert "given twice" in json.loads((oci.folder / "log").read_text())["msg"]


def test_sysctls_are_set(oci):
    linux = {**LINUX, "sysctl": {"kernel.msgmax": "8193"}}
    assert oci.lines("cat /proc/sys/kernel/msgmax", linux=linux) == ["8193"]


def test_a_sysctl_that_there_is_not_is_an_error(oci):
    oci.create("c1", ["/bin/true"], status=1, linux={**LINUX, "sysctl": {"kernel.nonsense": "1"}})
    assert "kernel.nonsense" in json.loads((oci.folder / "log").read_text())["msg"]


def test_a_limit_of_tasks_holds(oci):
    linux = {**LINUX, "resources": {"pids": {"limit": 5}}}
    born = oci.lines("for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & echo born; done 2>/dev/null", linux=linux)
    assert 1 <= born.count("born") <= 5


def test_pause_and_resume(oci):
    oci.create("c1", ["/bin/sleep", "1000"])
    oci.call("start", "c1")
    oci.call("pause", "c1")
    assert oci.state("c1")["status"] == "paused"
    assert "paused" in oci.call("exec", "c1", "/bin/true", status=1).stderr
    oci.call("resume", "c1")
    oci.call("exec", "c1", "/bin/true")
    assert json.loads(oci.call("events", "--stats", "c1").stdout)["data"]["pids"]["current"] == 1
    assert len(json.loads(oci.call("ps", "--format", "json", "c1").stdout)) == 1


def test_spec_writes_a_configuration_that_works(oci, tmp_path):
    (tmp_path / "new").mkdir()
    oci.call("spec", "--bundle", tmp_path / "new")
    written = json.loads((tmp_path / "new/config.json").read_text())
    written["process"]["terminal"] = False
    written["process"]["args"] = ["/bin/true"]
    written["root"]["path"] = str(oci.rootfs)
    (tmp_path / "new/config.json").write_text(json.dumps(written))
    oci.call("run", "--bundle", tmp_path / "new", "c1")


@pytest.mark.parametrize("command", ["checkpoint", "restore"])
def test_what_there_is_not_says_so(oci, command):
    assert "not supported" in oci.call(command, "--image-path", "/x", "c1", status=1).stderr


def test_a_further_container_of_a_pod_is_refused(oci):
    oci.create("c1", ["/bin/true"], annotations={"io.kubernetes.cri.container-type": "sandbox"})
    oci.create("c2", ["/bin/true"], status=1, annotations={"io.kubernetes.cri.container-type": "container"})
    assert "of a pod" in json.loads((oci.folder / "log").read_text())["msg"]


def test_help(oci):
    assert "\n  create\n" in oci.call("--help").stdout
    for words in (("create", "--help"), ("create", "-h"), ("help", "create")):
        assert "\n  --console-socket VALUE\n" in oci.call(*words).stdout
    oci.call("checkpoint", "--help", status=1)  # which is how podman asks whether it exists


def test_no_new_privileges(oci):
    assert oci.lines("grep NoNewPrivs /proc/self/status", process={"noNewPrivileges": True}) == ["NoNewPrivs:\t1"]


def test_annotations_stand_for_flags(oci):
    assert oci.lines("echo fine", annotations={"dev.sandboxctl.platform": "ptrace"}) == ["fine"]
    oci.create("c2", ["/bin/true"], status=1, annotations={"dev.sandboxctl.platform": "nonsense"})
    assert "nonsense" in json.loads((oci.folder / "log").read_text())["msg"]
