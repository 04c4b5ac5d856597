"""`sandboxctl cp` out of and into running sandboxes."""

import io
import os
import subprocess
import tarfile

import pytest

from .conftest import SANDBOXCTL, TIME_MAX, Caller


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    return Caller(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def sandbox(call):
    """The name of a running sandbox."""
    name = call.name("copied")
    call("run", "-d", "--name", name, "host", "--", "sleep", "1000")
    yield name
    call("rm", "--force", name)


def test_files_and_folders_go_in_and_come_out_again(call, sandbox, tmp_path):
    source = tmp_path / "source"
    (source / "deep/er").mkdir(parents=True)
    (source / "deep/file").write_bytes(os.urandom(3 << 20))
    (source / "deep/file").chmod(0o741)
    os.utime(source / "deep/file", (1e9, 1e9))
    (source / "link").symlink_to("deep/file")
    (source / "empty").touch()
    call("cp", str(source), f"{sandbox}:/tmp")
    call("cp", f"{source}/.", f"{sandbox}:/tmp/flat")
    call("cp", str(source / "empty"), f"{sandbox}:/tmp/renamed")
    script = "cd /tmp; stat -c '%a %Y' source/deep/file; readlink source/link; ls flat; stat -c %s renamed"
    seen = call("exec", sandbox, "sh", "-c", script)
    assert seen.stdout.split() == ["741", "1000000000", "deep/file", "deep", "empty", "link", "0"]
    (tmp_path / "out").mkdir()
    call("cp", f"{sandbox}:/tmp/source", str(tmp_path / "out"))
    call("cp", f"{sandbox}:/tmp/source/.", str(tmp_path / "new"))
    call("cp", f"{sandbox}:/tmp/source/link", str(tmp_path / "plain"))
    for copy in (tmp_path / "out/source", tmp_path / "new"):
        assert subprocess.run(["diff", "-r", "--no-dereference", source, copy], check=False).returncode == 0
        assert (copy / "deep/file").stat().st_mode & 0o777 == 0o741
    assert (tmp_path / "plain").read_bytes() == (source / "deep/file").read_bytes()


def test_archives(call, sandbox, tmp_path):
    done = subprocess.run(
        [SANDBOXCTL, "cp", f"{sandbox}:/etc/passwd", "-"], capture_output=True, timeout=TIME_MAX, check=True, env=call.environment
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        assert tar.getnames() == ["passwd"]
        assert tar.extractfile("passwd").read().startswith(b"root:")
    words = [SANDBOXCTL, "cp", "-", f"{sandbox}:/tmp"]
    subprocess.run(words, input=done.stdout, timeout=TIME_MAX, check=True, env=call.environment)
    assert call("exec", sandbox, "cat", "/tmp/passwd").stdout.startswith("root:")


def test_links_of_the_guest_lead_nowhere_on_the_host(call, sandbox, tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "out").mkdir()
    script = f"mkdir -p /tmp/trap/real; ln -s {tmp_path}/target /tmp/trap/link; echo x >/tmp/trap/real/file"
    call("exec", sandbox, "sh", "-c", script)
    call("cp", f"{sandbox}:/tmp/trap", str(tmp_path / "out"))
    (tmp_path / "out/trap/real").rename(tmp_path / "out/trap/other")
    (tmp_path / "out/trap/real").symlink_to(tmp_path / "target")
    done = call("cp", f"{sandbox}:/tmp/trap", str(tmp_path / "out"), status=125)
    assert "cannot copy" in done.stderr
    assert list((tmp_path / "target").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("{}:/none", "."), "no such file"),
        (("/none", "{}:/tmp"), "no such file"),
        (("/etc/passwd", "{}:/etc/passwd/x"), "not a directory"),
        (("/etc", "{}:/etc/passwd"), "onto the file"),
        (("/etc/passwd", "{}:/tmp/none/"), "is not a folder"),
        (("{}:/etc", "{}:/tmp"), "on the host"),
        (("-", "{}:/etc/passwd"), "is not a folder"),
    ],
)
def test_what_cannot_be_copied_says_so(call, sandbox, words, reason):
    found = call("cp", *(word.format(sandbox) for word in words), status=125, stdin=subprocess.DEVNULL).stderr
    assert reason in found
    assert found.count("\n") == 1
