"""Programs on images: what they see is exactly what the layers say, as root and as an ordinary user."""

import hashlib
import subprocess
import tarfile
import time

import pytest

from tests.guestlib import images
from tests.images.conftest import need

pytestmark = pytest.mark.usefixtures("needs_busybox")
SHOW = "for f in /data/*; do stat -c '%n %f %u:%g %s %Y %h' $f; done; cat /data/big | wc -c; readlink /data/link; cat /data/small"


def data_layer():
    return images.busybox_layer(
        images.folder("data", mode=0o751, uid=3),
        images.member("data/big", b"b" * 300_000, mode=0o4755, uid=1000, gid=1001, mtime=1_600_000_000),
        images.member("data/small", b"small\n", mode=0o640, uid=70_000, gid=5),
        images.hardlink("data/twin", "data/small"),
        images.symlink("data/link", "/nowhere/at/all", uid=9),
        images.member("data/pipe", kind=tarfile.FIFOTYPE, mode=0o600),
        images.member("data/null", kind=tarfile.CHRTYPE, dev=(1, 3), mode=0o666),
        images.member("data/disk", kind=tarfile.BLKTYPE, dev=(8, 1), mode=0o660, gid=6),
    )


def test_everything_is_seen_as_the_layer_has_it(either, tmp_path):
    images.write_layout(tmp_path / "oci", {"x": images.build([data_layer()])})
    seen = either.text("run", f"oci:{tmp_path}/oci", "--", "sh", "-c", SHOW).splitlines()
    lines = {line.split()[0]: line.split()[1:] for line in seen if line.startswith("/data/")}
    assert lines["/data/big"] == ["89ed", "1000:1001", "300000", "1600000000", "1"]
    assert lines["/data/small"] == ["81a0", "70000:5", "6", "1700000000", "2"]
    assert lines["/data/twin"] == lines["/data/small"]
    assert lines["/data/link"][:2] == ["a1ff", "9:0"]
    assert lines["/data/pipe"][0] == "1180"
    assert lines["/data/null"][0] == "21b6"
    assert lines["/data/disk"][:2] == ["61b0", "0:6"]
    assert seen[-3:] == ["300000", "/nowhere/at/all", "small"]


def test_changes_stay_in_the_sandbox(either, tmp_path):
    images.write_layout(tmp_path / "oci", {"": images.build([data_layer()])})
    script = "echo more >> /data/small && cat /data/twin && rm /data/big && ls /data | wc -l && echo x > /data/big"
    for _ in range(2):
        assert either.text("run", f"oci:{tmp_path}/oci", "--", "sh", "-c", script) == "small\nmore\n6\n"


def test_a_device_of_the_image_reaches_only_ours(tool, tmp_path):
    images.write_layout(tmp_path / "oci", {"": images.build([data_layer()])})
    done = tool("run", f"oci:{tmp_path}/oci", "--", "sh", "-c", "echo x > /data/null && cat /data/disk", check=1)
    assert b"No such device" in done.stderr


def test_a_set_id_program_changes_its_user(tool, tmp_path):
    more = [images.member("bin/whoever", images.Path(images.BUSYBOX).read_bytes(), mode=0o4755, uid=1000)]
    images.write_layout(tmp_path / "oci", {"": images.build([images.busybox_layer(*more, images.symlink("bin/x", "id"))])})
    script = "cp /bin/busybox /tmp/id; chown 1000 /tmp/id; chmod 4755 /tmp/id; stat -c %a:%u /bin/whoever"
    assert tool.text("run", f"oci:{tmp_path}/oci", "--", "/bin/busybox", "sh", "-c", script) == "4755:1000\n"


def test_layers_lie_on_each_other(either, tmp_path):
    layers = [
        data_layer(),
        images.layer(images.whiteout("data/big"), images.member("data/new", b"2", uid=7), images.folder("etc/opt")),
        images.layer(images.opaque("etc/opt"), images.member("etc/opt/only", b""), images.member("data/small", b"third\n")),
    ]
    images.write_layout(tmp_path / "oci", {"": images.build(layers, "+zstd")})
    seen = either.text("run", f"oci:{tmp_path}/oci", "--", "sh", "-c", "ls /data; cat /data/small /data/twin; ls /etc/opt")
    assert seen.split() == ["disk", "link", "new", "null", "pipe", "small", "twin", "third", "small", "only"]


def test_many_layers_with_many_large_files(tool, tmp_path):
    layers = [images.busybox_layer()]
    for number in range(100):
        layers.append(images.layer(*[images.member(f"many/{number}/{at}", bytes([number, at]) * 10_000) for at in range(12)]))
    images.write_layout(tmp_path / "oci", {"": images.build(layers, "")})
    script = "find /many -type f | wc -l; cat /many/*/* | md5sum; for f in /many/*/1*; do exec 9<$f; done; cat /many/*/* | md5sum"
    script = script.replace("md5sum", "/bin/busybox md5sum")
    seen = tool.text("run", f"oci:{tmp_path}/oci", "sh", "-c", script).split()
    order = [(one, two) for one in sorted(range(100), key=str) for two in sorted(range(12), key=str)]
    wanted = hashlib.md5(b"".join(bytes(pair) * 10_000 for pair in order))
    assert seen == ["1200", wanted.hexdigest(), "-", wanted.hexdigest(), "-"]


def run_config(tool, tmp_path, *words, options=(), check=0, **settings):
    images.write_layout(tmp_path / "oci", {"": images.build([images.busybox_layer()], **settings)})
    return tool("run", *options, f"oci:{tmp_path}/oci", *words, check=check).stdout.decode()


def test_entrypoint_and_cmd(tool, tmp_path):
    both = {"Entrypoint": ["/bin/echo", "a"], "Cmd": ["b", "c"]}
    assert run_config(tool, tmp_path, **both) == "a b c\n"
    assert run_config(tool, tmp_path, "d", **both) == "a d\n"
    assert run_config(tool, tmp_path, "e", options=["--entrypoint", "/bin/echo"], **both) == "e\n"
    assert run_config(tool, tmp_path, "--", "/bin/echo", "f", options=["--entrypoint", ""], **both) == "f\n"


def test_env_workdir_and_user(tool, tmp_path):
    settings = {"Env": ["A=1", "PATH=/bin", "HOME=/h"], "WorkingDir": "/srv/x", "User": "bob:staff"}
    words = ["--", "sh", "-c", "echo $A $PATH $HOME $(pwd); id -u; id -g"]
    assert run_config(tool, tmp_path, *words, **settings).split() == ["1", "/bin", "/h", "/srv/x", "1000", "50"]
    options = ["-e", "A=2", "-w", "/tmp", "-u", "0"]
    assert run_config(tool, tmp_path, *words, options=options, **settings).split() == ["2", "/bin", "/h", "/tmp", "0", "0"]
    assert run_config(tool, tmp_path, "--", "id", User="bob") == "uid=1000(bob) gid=1001(bob) groups=50(staff)\n"
    assert run_config(tool, tmp_path, "--", "id", "-u") == "0\n"
    assert run_config(tool, tmp_path, "--", "id", check=125, User="nobody-knows") == ""


def test_volumes_are_writable_although_the_image_is_not(tool, tmp_path):
    settings = {"Volumes": {"/var/data": {}, "/bin/../etc": {}, "/proc/x": {}}}
    script = "echo x > /var/data/a && cat /var/data/a; cd /etc; echo y > y; wc -l < group; touch /bin/x || echo refused"
    words = ["--", "sh", "-c", script]
    for options in (["--read-only"], ["--read-only", "-v", f"{tmp_path}:/other"]):
        assert run_config(tool, tmp_path, *words, options=options, **settings).split() == ["x", "3", "refused"]
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    run_config(tool, tmp_path, *words, options=["-v", f"{data}:/var/data"], check=None, **settings)
    assert (data / "a").read_text() == "x\n"
    assert tool("run", "--commit", "v:1", f"oci:{tmp_path}/oci", "sh", "-c", "touch /etc/no /tmp/yes").returncode == 0
    assert "A /tmp/yes" in tool.text("diff", "v:1").splitlines()
    assert "/etc/no" not in tool.text("diff", "v:1")


def test_stop_signal(tool, tmp_path):
    images.write_layout(tmp_path / "oci", {"": images.build([images.busybox_layer()], StopSignal="SIGUSR1")})
    script = "trap 'echo got it; exit 3' USR1; echo ready; while true; do sleep 0.1; done"
    process = tool.start("run", f"oci:{tmp_path}/oci", "--", "sh", "-c", script, stdout=subprocess.PIPE)
    with process:
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.stdout.read() == b"got it\n"
    assert process.returncode == 3


def test_tar_and_compressed_archives(either, tmp_path):
    plain = images.busybox_layer()
    for name, data in (("a.tar", plain), ("a.tar.gz", images.pack_gzip(plain)), ("a.tar.zst", images.pack_zstd(plain))):
        (tmp_path / name).write_bytes(data)
        assert either.text("run", f"tar:{tmp_path}/{name}", "--", "cat", "/etc/group").startswith("root:x:0:")


def test_archives_that_skopeo_makes(tool, tmp_path):
    need("skopeo")
    images.write_layout(tmp_path / "oci", {"1": images.build([data_layer(), images.layer(images.whiteout("data/small"))])})
    for kind, name in (("oci-archive", ":some:1"), ("docker-archive", ":some:1")):
        file = tmp_path / f"{kind}.tar"
        words = ["skopeo", "--insecure-policy", "copy", "-q", f"oci:{tmp_path}/oci:1", f"{kind}:{file}{name}"]
        subprocess.run(words, check=True, capture_output=True)
        assert tool.text("run", f"{kind}:{file}", "--", "ls", "/data").split() == ["big", "disk", "link", "null", "pipe", "twin"]


def test_a_pulled_image_starts_as_fast_as_a_folder(tool, tmp_path):
    (tmp_path / "a.tar").write_bytes(images.busybox_layer())
    (tmp_path / "root").mkdir(mode=0o755)
    subprocess.run(["tar", "-C", tmp_path / "root", "-xf", tmp_path / "a.tar"], check=True)

    times = {f"dir:{tmp_path}/root": [], f"tar:{tmp_path}/a.tar": []}
    tool("run", f"tar:{tmp_path}/a.tar", "--", "/bin/true")
    for _ in range(4):
        for image, taken in times.items():
            start = time.monotonic()
            tool("run", image, "--", "/bin/true")
            taken.append(time.monotonic() - start)
    folder, stored = (min(taken) for taken in times.values())
    assert stored < folder * 1.5 + 0.1, (stored, folder)


@pytest.mark.parametrize(
    "image",
    ["oci:/nonexistent", "tar:/etc", "oci-archive:/etc/passwd", "docker-archive:/etc/passwd", "tar:/etc/passwd", "none", "docker://x"],
)
def test_what_is_no_image_is_one_line(tool, image):
    done = tool("run", image, "--", "true", check=125)
    assert done.stderr.startswith(b"sandboxctl: ")
    assert done.stderr.count(b"\n") == 1
