"""commit and diff: the image that comes out shows exactly what the sandbox showed, to us, to skopeo and to umoci."""

import json
import os
import random
import subprocess
import tarfile

import pytest

from sandboxctl import Sandbox
from sandboxctl.errors import OptionError, SandboxError
from tests.guestlib import images
from tests.images.conftest import need

pytestmark = pytest.mark.usefixtures("needs_busybox")
SHOW = (
    "cd /; find . -xdev | sort | while read -r f; do "
    "if [ -L \"$f\" ]; then stat -c '%n %f %u:%g %N' \"$f\"; "
    'elif [ -d "$f" ]; then stat -c \'%n %f %u:%g\' "$f"; else stat -c \'%n %f %u:%g %s %Y %h %t:%T\' "$f"; fi; '
    'if [ -f "$f" ]; then md5sum <"$f"; fi; done'
)


@pytest.fixture
def store(tool, monkeypatch):
    """A store with ``base:1``; the Python interface uses it as well."""
    tree = [
        images.folder("data"), images.folder("data/sub", mode=0o700, uid=5),
        images.member("data/sub/big", b"b" * 50_000, mode=0o4711),
        images.member("data/a", b"a\n"), images.hardlink("data/twin", "data/a"), images.symlink("data/link", "a"),
        images.member("data/sub/deep/x", b"x", pax={"SCHILY.xattr.user.k": "v"}), images.symlink("bin/md5sum", "busybox"),
        images.symlink("bin/sort", "busybox"), images.symlink("bin/chown", "busybox"), images.symlink("bin/mkfifo", "busybox"),
    ]  # fmt: skip
    image = images.build([images.busybox_layer(*tree)], Cmd=["/bin/sh"], Env=["A=1"])
    images.write_layout(tool.home / "oci", {"base:1": image})
    tool("load", "-i", tool.home / "oci")
    monkeypatch.setenv("SANDBOXCTL_STORE", str(tool.store))
    return tool


def script_of(seed):
    """Random changes; whether each works does not matter."""
    chance = random.Random(seed)
    paths = ["/data", "/data/a", "/data/twin", "/data/link", "/data/sub", "/data/sub/big", "/data/sub/deep", "/data/sub/deep/x"]
    paths += ["/data/new", "/data/sub/new", "/new", "/new/b", "/data/sub/deep/y", "/etc/group", "/etc"]
    makers = [
        "echo {n} >> {a}", "rm -f {a}", "rm -rf {a}", "mkdir {a}", "mkdir -p {a}/z", "mv {a} {b}", "ln {a} {b}", "ln -s {a} {b}",
        "chmod {mode} {a}", "chown {n}:{m} {a}", "touch -d @{n} {a}", "mkfifo {a}", "mknod {a} c 1 3", "cp -a {a} {b}",
        "dd if=/dev/zero of={a} bs=1k count={m} 2>/dev/null", ": > {a}",
    ]  # fmt: skip
    lines = []
    for _ in range(25):
        one, other = chance.choice(paths), chance.choice(paths)
        values = {"a": one, "b": other, "n": chance.randrange(1, 70000), "m": chance.randrange(1, 99)}
        lines.append(chance.choice(makers).format(mode=oct(chance.randrange(0o400, 0o10000))[2:], **values) + " 2>/dev/null")
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(4))
def test_random_changes_come_back(store, seed):
    with Sandbox("base:1") as sandbox:
        sandbox.run(["sh", "-c", script_of(seed)])
        shown = sandbox.run(["sh", "-c", SHOW])
        assert shown.exit_code == 0, shown.stderr
        image = sandbox.commit("next:1")
    with Sandbox(image) as sandbox:
        again = sandbox.run(["sh", "-c", SHOW])
    assert again.stdout.decode().splitlines() == shown.stdout.decode().splitlines()


def test_changes(store):
    with Sandbox("base:1") as sandbox:
        assert sandbox.changes() == []
        sandbox.run(["sh", "-c", "echo x >> /data/a; rm -r /data/sub/deep; mkdir /new; touch /new/f; mv /data/link /new/link"])
        assert sandbox.changes() == [
            ("C", "/data"), ("C", "/data/a"), ("D", "/data/link"), ("C", "/data/sub"), ("D", "/data/sub/deep"),
            ("C", "/data/twin"), ("A", "/new"), ("A", "/new/f"), ("A", "/new/link"),
        ]  # fmt: skip


def test_a_folder_in_place_of_a_folder_hides_it(store):
    with Sandbox("base:1") as sandbox:
        sandbox.run(["sh", "-c", "rm -r /data/sub; mkdir /data/sub; touch /data/sub/only"])
        sandbox.commit("next:1")
    assert store.text("run", "next:1", "ls", "/data/sub") == "only\n"


def test_volumes_and_the_sentrys_own_mounts_stay_out(store, tmp_path):
    (tmp_path / "file").write_text("secret")
    os.chmod(tmp_path, 0o755)
    with Sandbox("base:1", volumes=[f"{tmp_path}:/vol"], tmpfs=["/scratch"]) as sandbox:
        sandbox.run(["sh", "-c", "touch /scratch/x /dev/shm/y"])
        assert sandbox.changes() == []


def test_extended_attributes_and_times(store):
    with Sandbox("base:1") as sandbox:
        sandbox.run(["sh", "-c", "chmod 600 /data/sub/deep/x"])
        sandbox.commit("next:1")
    store("save", "--format", "oci-dir", "-o", store.home / "out", "next:1")
    index = json.loads((store.home / "out/index.json").read_text())
    blob = lambda digest: (store.home / "out/blobs/sha256" / digest[7:])  # noqa: E731
    layer = json.loads(blob(index["manifests"][0]["digest"]).read_text())["layers"][-1]["digest"]
    with tarfile.open(blob(layer)) as tar:
        assert tar.getmember("data/sub/deep/x").pax_headers["SCHILY.xattr.user.k"] == "v"


def test_configuration_and_history(store):
    with Sandbox("base:1") as sandbox:
        sandbox.run(["touch", "/x"])
        sandbox.commit("next:1", message="why", author="me", changes=["CMD ls /x", "ENV B=2"])
        sandbox.run(["touch", "/y"])
        sandbox.commit("next:2")
    body = json.loads(store.text("inspect", "next:1"))[0]
    assert (body["Config"]["Cmd"], body["Config"]["Env"]) == (["/bin/sh", "-c", "ls /x"], ["A=1", "B=2"])
    assert (body["Author"], body["Comment"], len(body["RootFS"]["Layers"])) == ("me", "why", 2)
    assert store.text("run", "next:1") == "/x\n"
    assert store.text("diff", "next:2") == "A /x\nA /y\n"
    assert store.text("history", "--format", "{{.CreatedBy}}", "next:1") == "sandboxctl commit\nlayer 0\n"


def test_skopeo_and_umoci_read_it(store, tmp_path):
    need("skopeo", "umoci")
    script = "rm /data/a; echo new > /data/new; mkdir -p /p/q; chmod 751 /data/sub"
    store("run", "--commit", "next:1", "base:1", "sh", "-c", script)
    store("save", "--format", "oci-archive", "-o", tmp_path / "a.tar", "next:1")
    copy = ["skopeo", "--insecure-policy", "copy", "-q", f"oci-archive:{tmp_path}/a.tar", f"oci:{tmp_path}/oci:1"]
    subprocess.run(copy, check=True)
    rootless = [] if os.geteuid() == 0 else ["--rootless"]
    unpack = ["umoci", "unpack", *rootless, "--image", f"{tmp_path}/oci:1", str(tmp_path / "bundle")]
    subprocess.run(unpack, check=True, capture_output=True)
    root = tmp_path / "bundle/rootfs"
    assert (root / "data/new").read_text() == "new\n"
    assert not (root / "data/a").exists()
    assert (root / "data/twin").read_text() == "a\n"
    assert (root / "data/sub").stat().st_mode & 0o777 == 0o751
    assert (root / "p/q").is_dir()


def test_a_detached_sandbox(store):
    words = ["run", "-d", "--rm", "--name", f"commit-{os.getpid()}", "base:1", "sh", "-c", "touch /made; exec sleep 100"]
    name = words[4]
    store(*words)
    try:
        assert store.text("exec", name, "sh", "-c", "until [ -e /made ]; do :; done; rm /data/a; echo ok") == "ok\n"
        assert "D /data/a" in store.text("diff", name).splitlines()
        image = store.text("commit", "-m", "why", "-c", "CMD ls /made", name, "next:1").strip()
        assert store.text("run", "next:1") == "/made\n"
        assert json.loads(store.text("inspect", image))[0]["Comment"] == "why"
        assert store("rmi", "base:1", check=2).stderr
    finally:
        store("rm", "-f", name)
    assert b"no image" in store("diff", name, check=125).stderr
    assert store("commit", name, check=125).stderr.count(b"\n") == 1


def test_relative_paths_hold_for_a_detached_sandbox(store, tmp_path):
    (tmp_path / "a.tar").write_bytes(images.busybox_layer())
    name = f"relative-{os.getpid()}"
    store("run", "-d", "--name", name, "tar:a.tar", "sleep", "100", cwd=tmp_path)
    try:
        assert store.text("exec", name, "id", "-u") == "0\n"
    finally:
        store("rm", "-f", name)


def test_what_has_no_layers_is_refused(store):
    with Sandbox("host") as sandbox:
        with pytest.raises(SandboxError, match="is a folder"):
            sandbox.commit("x")
        with pytest.raises(SandboxError, match="is a folder"):
            sandbox.changes()
    with Sandbox("base:1") as sandbox, pytest.raises(OptionError):
        sandbox.commit("x", changes=["RUN ls"])
