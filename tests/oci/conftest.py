"""Bundles of a small static root file system, and the runtime as an executable."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

BUSYBOX = shutil.which("busybox")
LIMITS = ("--network", "none", "--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096")
APPLETS = ("sh", "cat", "echo", "sleep", "id", "true", "kill", "touch", "pwd", "head")


@pytest.fixture(scope="session")
def runtime(tmp_path_factory):
    """The path of sandboxctl-oci."""
    path = tmp_path_factory.mktemp("bin") / "sandboxctl-oci"
    path.write_text(f"#!{sys.executable}\nfrom sandboxctl.oci.main import main\nmain()\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def rootfs(tmp_path):
    """A folder with busybox in it."""
    if (
        BUSYBOX is None
        or b"statically linked" not in subprocess.run(["file", "-L", BUSYBOX], capture_output=True, check=False).stdout
    ):
        pytest.skip("needs Debian's packages busybox-static and file")
    root = tmp_path / "rootfs"
    for name in ("bin", "etc", "tmp", "proc", "dev", "sys", "run", "root"):
        (root / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "bin/busybox")
    for name in APPLETS:
        (root / "bin" / name).symlink_to("busybox")
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    return root


class Runtime:
    """Calls the runtime with a state folder of its own."""

    def __init__(self, path, folder, rootfs):
        self.path = path
        self.folder = folder
        self.rootfs = rootfs
        self.ids = []

    def call(self, *words, status=0, output=None):
        """Its streams are files: a container that goes on keeps them open."""
        out, errors = output or self.folder / "stdout", self.folder / "stderr"
        command = [self.path, "--root", self.folder / "state", "--log", self.folder / "log", "--log-format", "json", *words]
        with open(out, "w", encoding="utf-8") as out_file, open(errors, "w", encoding="utf-8") as errors_file:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out_file, stderr=errors_file, timeout=60, check=False)
        assert done.returncode == status, errors.read_text()
        return SimpleNamespace(stdout=out.read_text(), stderr=errors.read_text())

    def bundle(self, args, **changes):
        process = {"args": args, "cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["PATH=/bin"], **changes.pop("process", {})}
        linux = {"namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "mount"}]}
        spec = {"ociVersion": "1.2.0", "process": process, "root": {"path": str(self.rootfs)}, "linux": linux, **changes}
        (self.folder / "config.json").write_text(json.dumps(spec))
        return self.folder

    def create(self, ident, args, status=0, output=None, **changes):
        """Returns the pid, a child of ours as of an engine's."""
        self.ids.append(ident)
        folder = self.bundle(args, **changes)
        self.call("create", "--bundle", folder, "--pid-file", folder / "pid", ident, status=status, output=output)
        return int((folder / "pid").read_text()) if status == 0 else 0

    def lines(self, script, **changes):
        """What a shell prints that runs ``script``."""
        output = self.folder / "printed"
        self.create("c1", ["/bin/sh", "-c", script], output=output, **changes)
        self.call("start", "c1")
        self.wait("c1")
        return output.read_text().splitlines()

    def state(self, ident):
        return json.loads(self.call("state", ident).stdout)

    def wait(self, ident):
        """Until it has stopped."""
        deadline = time.monotonic() + 60
        while (found := self.state(ident))["status"] != "stopped":
            assert time.monotonic() < deadline
        return found


@pytest.fixture
def oci(runtime, tmp_path, rootfs):
    made = Runtime(runtime, tmp_path, rootfs)
    yield made
    for ident in made.ids:
        made.call("delete", "--force", ident)


@pytest.fixture
def podman(runtime, tmp_path, rootfs):
    if shutil.which("podman") is None:
        pytest.skip("needs Debian's package podman")
    short = Path(tempfile.mkdtemp(prefix="pod"))  # podman refuses a long --runroot
    places = ("--root", short / "R", "--runroot", short / "RR", "--tmpdir", short / "RT")
    kinds = ("--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", runtime)

    def call(*words, status=0, **options):
        done = subprocess.run([*call.command, *words], capture_output=True, text=True, timeout=300, check=False, **options)
        assert done.returncode == status, done.stderr
        return done

    call.command = ["podman", *places, *kinds]
    yield call
    call("rm", "--all", "--force", "--time", "0")
    deadline = time.monotonic() + 120
    while short.exists():  # the engine's own cleaning up, which nobody waits for, may still write there
        assert time.monotonic() < deadline
        shutil.rmtree(short, ignore_errors=True)
