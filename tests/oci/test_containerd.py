"""Debian's containerd (through ctr) and docker with our runtime, on places of their own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not os.environ.get("SANDBOXCTL_ENGINES"), reason="starts whole engines: make test-engines")
_OFF = ("io.containerd.grpc.v1.cri", *(f"io.containerd.snapshotter.v1.{name}" for name in ("btrfs", "devmapper", "zfs", "aufs")))


def _until(is_true, process):
    deadline = time.monotonic() + 60
    while not is_true():
        assert process.poll() is None
        assert time.monotonic() < deadline


def _stop(process):
    process.terminate()
    process.wait(30)


@pytest.fixture
def place():
    """A short path: the sockets below it must fit into a socket address."""
    folder = Path(tempfile.mkdtemp(prefix="ctr"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def containerd(place):
    """The address of a containerd."""
    if os.geteuid() != 0:
        pytest.skip("containerd needs root")
    if shutil.which("containerd") is None or shutil.which("ctr") is None:
        pytest.skip("needs Debian's package containerd")
    address = place / "s"
    disabled = json.dumps([*_OFF, "io.containerd.internal.v1.opt"])
    (place / "config.toml").write_text(
        f'version = 2\nroot = "{place}/root"\nstate = "{place}/state"\ndisabled_plugins = {disabled}\n'
        f'[grpc]\naddress = "{address}"\n'
    )
    with open(place / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(["containerd", "--config", place / "config.toml"], stdout=log, stderr=log)
    _until(address.exists, process)
    yield address
    _stop(process)


def _call(command, status=0, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, **options)
    assert done.returncode == status, done.stderr
    return done


def test_ctr(containerd, place, runtime, rootfs):
    ctr = ["ctr", "--address", containerd]
    new = ["--runc-binary", runtime, "--runc-root", place / "state-of-runtime", "--rootfs", rootfs]
    assert _call([*ctr, "run", "--rm", *new, "c1", "/bin/sh", "-c", "echo hi; exit 7"], 7).stdout == "hi\n"
    program = "trap 'exit 3' TERM; while :; do sleep 0.1; done"
    _call([*ctr, "run", "-d", *new, "c2", "/bin/sh", "-c", program])
    assert _call([*ctr, "task", "exec", "--exec-id", "e1", "c2", "/bin/sh", "-c", "echo in; exit 6"], 6).stdout == "in\n"
    assert len(_call([*ctr, "task", "ps", "c2"]).stdout.splitlines()) >= 2
    _call([*ctr, "task", "pause", "c2"])
    assert "PAUSED" in _call([*ctr, "task", "ls"]).stdout
    _call([*ctr, "task", "resume", "c2"])
    assert "pids" in _call([*ctr, "task", "metrics", "c2"]).stdout
    _call([*ctr, "task", "kill", "-s", "SIGKILL", "c2"])
    deadline = time.monotonic() + 60
    while "STOPPED" not in _call([*ctr, "task", "ls"]).stdout:
        assert time.monotonic() < deadline
    assert "code 137" in _call([*ctr, "task", "rm", "c2"]).stderr
    _call([*ctr, "container", "rm", "c2"])
    assert "executable file not found" in _call([*ctr, "run", "--rm", *new, "c3", "no-such-program"], 1).stderr


def _verbs(docker):
    """What docker has beyond run, exec and logs, on the container d1."""
    _call([*docker, "pause", "d1"])
    assert _call([*docker, "inspect", "d1", "--format", "{{.State.Status}}"]).stdout == "paused\n"
    _call([*docker, "exec", "d1", "true"], 1)
    _call([*docker, "unpause", "d1"])
    assert len(_call([*docker, "top", "d1"]).stdout.splitlines()) >= 2
    assert json.loads(_call([*docker, "stats", "--no-stream", "--format", "{{json .}}", "d1"]).stdout)["PIDs"] != "0"
    _call([*docker, "update", "--cpu-shares", "300", "--memory", "100m", "--memory-swap", "100m", "d1"])
    terminal = " ".join(map(str, [*docker, "exec", "-it", "d1", "sh", "-c", "'exit 6'"]))
    screen = ["script", "-qec", terminal, "/dev/null"]
    assert subprocess.run(screen, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False).returncode == 6
    _call([*docker, "kill", "--signal", "USR2", "d1"])


@pytest.fixture
def docker(containerd, place, runtime):
    """The command line of a docker whose daemon knows our runtime."""
    if not Path("/usr/sbin/dockerd").exists() or not Path("/usr/bin/docker").exists():
        pytest.skip("needs Debian's package docker.io")
    (place / "daemon.json").write_text(json.dumps({"runtimes": {"sandboxctl": {"path": runtime}}}))
    address = place / "d"
    command = ["/usr/sbin/dockerd", "--config-file", place / "daemon.json", "--data-root", place / "D"]
    command += ["--exec-root", place / "E", "--pidfile", place / "P", "-H", f"unix://{address}", "--containerd", containerd]
    command += ["--storage-driver", "vfs"]
    command += ["--iptables=false", "--ip6tables=false", "--bridge=none"]
    with open(place / "docker-log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    program = ["/usr/bin/docker", "-H", f"unix://{address}"]
    try:
        _until(lambda: subprocess.run([*program, "info"], capture_output=True, check=False).returncode == 0, process)
        yield program
    finally:
        _stop(process)


def test_docker(docker, rootfs):
    tar = subprocess.run(["tar", "-C", rootfs, "-c", "."], capture_output=True, check=True).stdout
    subprocess.run([*docker, "import", "-", "bb:1"], input=tar, check=True, capture_output=True)
    new = ["--runtime", "sandboxctl", "--network", "none"]
    assert _call([*docker, "run", "--rm", *new, "bb:1", "sh", "-c", "echo hi; exit 7"], 7).stdout == "hi\n"
    _call([*docker, "run", "--rm", *new, "bb:1", "no-such-program"], 127)
    terminal = " ".join(map(str, [*docker, "run", "--rm", "-it", *new, "bb:1", "sh", "-c", "'exit 3'"]))
    words = ["script", "-qec", terminal, "/dev/null"]
    screen = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert screen.returncode == 3
    program = "trap 'exit 5' TERM; echo start; while :; do sleep 0.1; done"
    _call([*docker, "run", "-d", "--name", "d1", *new, "bb:1", "sh", "-c", program])
    assert _call([*docker, "exec", "-i", "d1", "cat"], input="data").stdout == "data"
    _call([*docker, "exec", "d1", "sh", "-c", "exit 9"], 9)
    deadline = time.monotonic() + 60
    while _call([*docker, "logs", "d1"]).stdout != "start\n":
        assert time.monotonic() < deadline
    _verbs(docker)
    _call([*docker, "stop", "d1"])
    assert _call([*docker, "inspect", "d1", "--format", "{{.State.ExitCode}}"]).stdout == "5\n"
    _call([*docker, "start", "d1"])
    _call([*docker, "rm", "--force", "d1"])


_ROOT = Path(__file__).resolve().parents[2]
_POD = ["--user", "10001", "--cap-drop", "ALL", "--read-only", "--security-opt", "no-new-privileges"]
_POD += ["--tmpfs", "/scratch:mode=1777", "-e", "TMPDIR=/scratch", "-e", "HOME=/nonexistent"]


@pytest.mark.parametrize("options", [[], _POD], ids=["root", "pod"])
def test_sandboxes_run_in_containers_of_docker(docker, options):
    """Below docker's own default profile, whatever it is in this release; the container sees this machine's programs."""
    for path in (_ROOT, *_ROOT.parents):
        if options and not path.stat().st_mode & 0o001:
            pytest.skip(f"an ordinary user cannot read {path}")
    empty = subprocess.run(["tar", "-c", "--files-from", "/dev/null"], capture_output=True, check=True).stdout
    subprocess.run([*docker, "import", "-", "empty:1"], input=empty, check=True, capture_output=True)
    shown = [part for path in ("/usr", "/bin", "/lib", "/lib64", "/etc", _ROOT) for part in ("-v", f"{path}:{path}:ro")]
    new = [*docker, "run", "--rm", "--network", "none", *shown, *options, "empty:1", Path(sys.executable).with_name("sandboxctl")]
    script = "echo hi | cat; echo x >/tmp/f; cat /tmp/f; python3 -c 'print(6 * 7)'; uname -n; exit 5"
    ran = _call([*new, "run", "--tmpfs", "/tmp", "--hostname", "inner", "host", "--", "sh", "-c", script], 5)
    assert ran.stdout == "hi\nx\n42\ninner\n"
    found = json.loads(_call([*new, "doctor", "--format", "json"]).stdout)
    assert [check["name"] for check in found["checks"] if check["verdict"] == "broken"] == []
    assert [platform["error"] for platform in found["platforms"]] == ["", ""]
