"""Folders that are asked for ahead, over a real gofer."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gofer.protocol import message as m
from sentry.fs.gofer.readahead import KEPT_MAX, ROW_MIN
from tests.unit.sentry.fs.gofer.mount import Mount, drive

WIDE = 3 * KEPT_MAX


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for outer in range(4):
        for inner in range(3):
            (tmp_path / f"d{outer}/s{inner}/t").mkdir(parents=True)
            (tmp_path / f"d{outer}/s{inner}/file").write_bytes(b"x")
    for number in range(WIDE):
        (tmp_path / f"d3/s2/w{number}").mkdir()
    return tmp_path


class Tree(Mount):
    """A mount that keeps its inodes, as the dentry cache does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, is_shared=False)
        self.inodes: dict[str, Any] = {"": self.fs.root}

    def at(self, path: str) -> Any:
        if path not in self.inodes:
            above, _, name = path.rpartition("/")
            self.inodes[path] = drive(self.at(above).lookup(name.encode()))
        return self.inodes[path]


@pytest.fixture
def mount(folder: Path) -> Iterator[Tree]:
    made = Tree(folder)
    yield made
    made.close()


def children(mount: Tree, path: str) -> list[bytes]:
    found = [entry.name for entry in drive(mount.at(path).read_children())]
    assert len(mount.fs.folders._asked) <= KEPT_MAX
    return sorted(found)


def walk(mount: Tree, root: Path, path: str = "") -> int:
    """Read everything below ``path`` in the host's order; returns how many folders there were."""
    assert children(mount, path) == sorted(map(os.fsencode, os.listdir(root / path)))
    return 1 + sum(walk(mount, root, f"{path}/{entry.name}".lstrip("/")) for entry in os.scandir(root / path) if entry.is_dir())


def test_a_tree_is_read_as_the_host_shows_it_and_no_folder_twice(mount: Tree, folder: Path) -> None:
    before = mount.client.requests
    assert walk(mount, folder) == mount.client.requests - before
    assert not mount.fs.folders._asked
    asked = mount.client.requests
    walk(mount, folder)
    assert mount.client.requests == asked


def test_nothing_is_asked_ahead_before_folders_are_read_in_a_row(mount: Tree) -> None:
    for path in ("", "d0", "d1", "d2")[:ROW_MIN]:
        children(mount, path)
        assert not mount.fs.folders._asked
    children(mount, "d3")
    assert mount.fs.folders._asked


def test_another_order_than_the_expected_one(mount: Tree, folder: Path) -> None:
    for path in ("", "d3", "d3/s2"):
        children(mount, path)
    names = [entry.name for entry in os.scandir(folder / "d3/s2") if entry.name.startswith("w")]
    for name in reversed(names):
        assert children(mount, f"d3/s2/{name}") == []


def test_an_answer_about_another_folder_is_not_taken(mount: Tree) -> None:
    for path in ("", "d0", "d1"):
        children(mount, path)
    parent, client = mount.at("d1"), mount.client
    mount.fs.folders._asked[parent, b"s0"] = client.begin(m.READDIR, (parent.node, (b"s1", b"t")))
    assert children(mount, "d1/s0") == [b"file", b"t"]
    assert client._forgotten


def test_an_error_is_asked_again(mount: Tree) -> None:
    for path in ("", "d0", "d1"):
        children(mount, path)
    parent = mount.at("d1")
    mount.fs.folders._asked[parent, b"s0"] = mount.client.begin(m.READDIR, (parent.node, (b"missing",)))
    assert children(mount, "d1/s0") == [b"file", b"t"]


@pytest.mark.parametrize("is_answered", [False, True])
def test_what_nobody_takes_is_given_back(mount: Tree, is_answered: bool) -> None:
    client = mount.client
    request = client.begin(m.READDIR, (mount.fs.root.node, (b"d0",)))
    if is_answered:
        client._wait_blocking(request)
    client.abandon(request)
    if not is_answered:
        client._wait_blocking(client.begin(m.STATFS, mount.fs.root.place()))
    node = int.from_bytes(request.bodies[0][:4], "little")
    assert node in client._forgotten


def test_a_gofer_that_is_gone_breaks_no_reader(mount: Tree) -> None:
    for path in ("", "d0", "d1"):
        children(mount, path)
    mount.fs.folders.clear()
    assert not mount.fs.folders._asked
    mount.fs.folders._wanted[mount.at("d1"), b"s1"] = None
    mount.client.close()
    mount.fs.folders._ask()
    assert not mount.fs.folders._asked
