"""Rootless podman: an ordinary user's, in the user namespace that podman makes for itself."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from .conftest import LIMITS

pytestmark = [
    pytest.mark.skipif(not os.environ.get("SANDBOXCTL_ENGINES"), reason="the whole set of an engine: make test-engines"),
    pytest.mark.timeout(900),
]
_ROOT = Path(__file__).resolve().parents[2]


def _user():
    """Somebody with subordinate ids, as subuid(5) wants it for rootless podman."""
    if shutil.which("newuidmap") is None or not Path("/etc/subuid").exists():
        pytest.skip("needs Debian's package uidmap")
    known = {account.pw_name: account for account in pwd.getpwall() if account.pw_uid}
    names = [line.split(":")[0] for line in Path("/etc/subuid").read_text().splitlines()]
    if not (found := [known[name] for name in names if name in known]):
        pytest.skip("needs an ordinary user with a line in /etc/subuid: useradd --create-home NAME")
    return found[0]


@pytest.fixture
def rootless(rootfs):
    """Runs podman as an ordinary user, on places of their own."""
    if os.geteuid() != 0 or shutil.which("podman") is None or shutil.which("setpriv") is None:
        pytest.skip("needs root, to become somebody else, and Debian's package podman")
    for path in (_ROOT, *_ROOT.parents):
        if not path.stat().st_mode & 0o001:
            pytest.skip(f"an ordinary user cannot read {path}")
    user = _user()
    home = Path(tempfile.mkdtemp(prefix="pod"))
    shutil.copytree(rootfs, home / "rootfs", symlinks=True)
    (home / "run").mkdir()
    runtime = home / "sandboxctl-oci"
    runtime.write_text(f"#!{sys.executable}\nfrom sandboxctl.oci.main import main\nmain()\n")
    runtime.chmod(0o755)
    for path in (home, *home.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    become = ("setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups")
    environment = ("env", "-i", f"PATH={os.environ['PATH']}", f"HOME={home}", f"XDG_RUNTIME_DIR={home}/run")
    places = ("--root", home / "R", "--runroot", home / "RR", "--tmpdir", home / "RT")
    kinds = ("--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", runtime)

    def call(*words, status=0):
        command = [*become, *environment, "podman", *places, *kinds, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=home)
        assert done.returncode == status, done.stderr
        return done.stdout

    call.rootfs = home / "rootfs"
    yield call
    call("rm", "--all", "--force", "--time", "0")
    shutil.rmtree(home, ignore_errors=True)


def test_run_under_the_default_profile(rootless):
    status = "while read name value; do [ $name = Seccomp: ] && echo $value; done </proc/self/status"
    program = f"echo hi; id -u; {status}; exit 7"
    found = rootless("run", "--rm", *LIMITS, "--rootfs", rootless.rootfs, "sh", "-c", program, status=7)
    assert found.split() == ["hi", "0", "2"]
    rootless("run", "--rm", *LIMITS, "--rootfs", rootless.rootfs, "no-such-program", status=127)


def test_a_container_from_start_to_removal(rootless):
    program = "trap 'exit 5' TERM; echo started; while :; do sleep 0.1; done"
    rootless("run", "-d", "--name", "c1", *LIMITS, "--rootfs", rootless.rootfs, "sh", "-c", program)
    assert rootless("exec", "c1", "echo", "inside") == "inside\n"
    assert rootless("exec", "-u", "7", "c1", "id", "-u") == "7\n"
    rootless("exec", "c1", "no-such-program", status=127)
    while rootless("logs", "c1") != "started\n":
        pass
    rootless("stop", "--time", "60", "c1")
    assert rootless("inspect", "c1", "--format", "{{.State.ExitCode}}") == "5\n"
    rootless("start", "c1")
    rootless("kill", "c1")
    assert rootless("wait", "c1") == "137\n"


def test_options_of_run(rootless):
    words = ("--read-only", "-v", f"{rootless.rootfs}/etc:/v:ro", "--tmpfs", "/t", "-u", "5:6", "-e", "A=b")
    program = "id -u; echo $A; head -n 1 /v/passwd; echo x >/t/y && cat /t/y; touch /x 2>/dev/null || echo refused"
    found = rootless("run", "--rm", *words, *LIMITS, "--rootfs", rootless.rootfs, "sh", "-c", program)
    assert found.split() == ["5", "b", "root:x:0:0::/root:/bin/sh", "x", "refused"]
