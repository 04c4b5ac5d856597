"""The store survives: a SIGKILL at any point, several commands at once, a damaged or newer file; and nothing is left behind."""

import json
import os
import random
import select
import subprocess

import pytest

from tests.guestlib import images

pytestmark = pytest.mark.usefixtures("needs_busybox")


@pytest.fixture
def archive(tmp_path):
    """An OCI layout of three layers with some hundred files."""
    many = [images.member(f"many/{number % 7}/{number}", os.urandom(20_000 if number % 5 == 0 else 500)) for number in range(300)]
    layers = [images.busybox_layer(), images.layer(*many), images.layer(images.whiteout("many/1"), images.member("last", b"x"))]
    return images.write_layout(tmp_path / "oci", {"app:1": images.build(layers, Cmd=["/bin/ls", "/many"])})


def is_clean(tool):
    """Everything in the store belongs to its images."""
    tool("prune", "-f")
    needed = set()
    for name in tool.text("images", "--format", "{{.Id}}", "--no-trunc").split():
        needed.add(name)
    assert {entry.name for entry in (tool.store / "images").iterdir()} == needed
    assert not list((tool.store / "tmp").iterdir())
    if not needed:
        assert not [file for name in ("blobs/sha256", "layers", "sources", "partial") for file in (tool.store / name).iterdir()]


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_killed_while_loading(tool, archive, part):
    start = os.times().elapsed
    tool("load", "-i", archive)
    whole = os.times().elapsed - start
    tool("rmi", "app:1")
    process = tool.start("load", "-i", archive, stdout=subprocess.DEVNULL)
    select.select([], [], [], whole * part)
    process.kill()
    process.wait()
    for name in tool.text("images", "-q").split():
        assert tool.text("run", name).split() == ["0", "2", "3", "4", "5", "6"]
    tool("load", "-i", archive)
    assert tool.text("run", "app:1").split() == ["0", "2", "3", "4", "5", "6"]
    is_clean(tool)
    tool("rmi", "app:1")
    is_clean(tool)


def test_killed_while_removing(tool, archive):
    for part in (0.7, 0.9):
        tool("load", "-i", archive)
        start = os.times().elapsed
        tool("images")
        process = tool.start("rmi", "app:1", stdout=subprocess.DEVNULL)
        select.select([], [], [], (os.times().elapsed - start) * part)
        process.kill()
        process.wait()
    tool("load", "-i", archive)
    assert tool.text("run", "app:1").split() == ["0", "2", "3", "4", "5", "6"]
    tool("rmi", "app:1")
    is_clean(tool)


def test_many_at_once(tool, archive):
    chance = random.Random(7)
    words = [["load", "-i", archive]] * 4 + [["run", f"oci:{archive}", "true"]] * 3 + [["images"]] + [["tag", "app:1", "b:1"]]
    chance.shuffle(words)
    running = [tool.start(*word, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for word in words]
    ends = [(process.communicate(timeout=60)[1], process.returncode) for process in running]
    for (errors, status), word in zip(ends, words, strict=True):
        assert status == 0 or word[0] == "tag", (word, errors)
    assert tool.text("run", "app:1").split() == ["0", "2", "3", "4", "5", "6"]
    is_clean(tool)


def test_removed_while_another_adds(tool, archive):
    """Whoever removes never takes what somebody is adding."""
    tool("load", "-i", archive)
    for _ in range(2):
        loading = tool.start("load", "-i", archive, stdout=subprocess.DEVNULL)
        tool("rmi", "app:1", check=None)
        assert loading.wait() == 0
        tool("load", "-i", archive)
        assert tool.text("run", "app:1").split() == ["0", "2", "3", "4", "5", "6"]


def test_files_of_a_newer_or_damaged_store_are_one_line(tool, archive):
    tool("load", "-i", archive)
    names = tool.store / "names.json"
    good = names.read_text()
    for bad in ('{"version": 99, "names": {}}', "{", ""):
        names.write_text(bad)
        assert tool("images", check=125).stderr.count(b"\n") == 1
        assert tool("run", "app:1", check=125).stderr.count(b"\n") == 1
    names.write_text(good)
    image = next((tool.store / "images").iterdir())
    (image / "index").write_bytes((image / "index").read_bytes()[:100])
    assert tool("run", "app:1", check=125).stderr.count(b"\n") == 1
    record = json.loads((image / "image.json").read_text())
    (image / "image.json").write_text(json.dumps({**record, "version": 0}))
    assert tool.text("rmi", "app:1") == "Untagged: localhost/app:1\n"
    tool("load", "-i", archive)
    assert tool.text("run", "app:1").split() == ["0", "2", "3", "4", "5", "6"]


def test_the_store_is_private(tool, archive):
    os.umask(0)
    try:
        tool("load", "-i", archive)
    finally:
        os.umask(0o022)
    assert tool.store.stat().st_mode & 0o077 == 0
    assert not [path for path in tool.store.rglob("*") if path.is_file() and path.stat().st_mode & 0o7022]


def test_a_strict_umask_does_no_harm(either, archive):
    before = os.umask(0o077)
    try:
        assert either.text("run", f"oci:{archive}").split() == ["0", "2", "3", "4", "5", "6"]
    finally:
        os.umask(before)


def test_a_place_that_cannot_be_written_is_one_line(tool):
    done = tool("images", env={"SANDBOXCTL_STORE": "/proc/nothing"})
    assert done.stdout.startswith(b"REPOSITORY")
    done = tool("import", "-", stdin=images.layer(), env={"SANDBOXCTL_STORE": "/proc/nothing"}, check=125)
    assert b"SANDBOXCTL_STORE" in done.stderr
