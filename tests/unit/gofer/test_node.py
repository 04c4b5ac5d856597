"""The bounded set of descriptors behind a connection's nodes, in-process."""

import os
from collections.abc import Iterator
from errno import EISDIR, ELOOP, ENFILE, ENXIO, ESTALE
from pathlib import Path

import pytest

from gofer._sys._native import lib
from gofer.protocol import message as m
from gofer.protocol.attr import ATTR
from gofer.protocol.config import Tree
from gofer.protocol.wire import REPLY, REQUEST, VERSION
from gofer.server.connection import Connection
from gofer.server.policy import TreePolicy
from gofer.server.table import READING

BOUND = 4


class Wire:
    """A channel that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.contents = b""

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)

    def sendmsg(self, frames: list[bytes], ancillary: list[tuple[int, int, bytes]]) -> None:
        self.sent.append(frames[0])
        self.contents = os.pread(int.from_bytes(ancillary[0][2], "little"), 100, 0)


class Local:
    """A connection without process and jail."""

    def __init__(self, folder: Path, nodes_max: int = 1000) -> None:
        self.wire = Wire()
        policy = TreePolicy(os.open(folder, os.O_PATH), Tree(os.fsencode(folder)))
        self.connection = Connection(self.wire, [policy], READING, descriptors_max=BOUND, nodes_max=nodes_max)  # type: ignore[arg-type]
        self.root = int.from_bytes(self.call(m.ATTACH, 0, 0)[:4], "little")

    def call(self, message: m.Message, *values: object) -> bytes:
        self.connection.answer(REQUEST.pack(1, message.op, VERSION, 0) + message.encode(*values))
        self.connection.nodes.trim()
        if message.is_oneway:
            return b""
        frame = self.wire.sent.pop()
        errno = REPLY.unpack_from(frame)[1]
        if errno:
            raise OSError(errno, "refused")
        return frame[REPLY.size :]

    def node(self, *names: bytes) -> int:
        body = self.call(m.READDIR, (self.root, names))
        return int.from_bytes(body[:4], "little")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index in range(20):
        (tmp_path / f"d{index}/inner").mkdir(parents=True)
    return tmp_path


@pytest.fixture(params=["openat2", "openat"], autouse=True)
def opening(request: pytest.FixtureRequest) -> Iterator[None]:
    """Everything holds on kernels without openat2(2) too (before 5.6, and under old container filters)."""
    before = lib.gofer_use_openat2(-1)
    if request.param == "openat2" and not before:
        pytest.skip("no openat2")
    lib.gofer_use_openat2(int(request.param == "openat2"))
    yield
    lib.gofer_use_openat2(before)


@pytest.mark.parametrize("has_proc", [True, False])
def test_only_regular_files_are_opened(folder: Path, has_proc: bool) -> None:
    (folder / "file").write_bytes(b"data")
    os.mkfifo(folder / "fifo")
    (folder / "link").symlink_to("file")
    local = Local(folder)
    if has_proc:
        local.connection.procfd = os.open("/proc/self/fd", os.O_PATH)
    local.call(m.OPEN, (local.root, (b"file",)), 0)
    assert local.wire.contents == b"data"
    for name, errno in ((b"fifo", ENXIO), (b"link", ELOOP), (b"d0", EISDIR)):
        with pytest.raises(OSError, match="refused") as caught:
            local.call(m.OPEN, (local.root, (name,)), 0)
        assert caught.value.errno == errno
    body = local.call(m.WALK, (local.root, (b"link", b"x")))
    assert m.WALK.decode_reply(body)[:2] == [ELOOP, 1]


def test_an_evicted_folder_is_opened_again(folder: Path) -> None:
    local = Local(folder)
    nodes = [local.node(b"d%d" % index, b"inner") for index in range(20)]
    assert local.connection.nodes.open_descriptors <= BOUND
    for index, node in enumerate(nodes):
        found = ATTR.unpack(local.call(m.GETATTR, (node, ()), 0))
        assert found[0] == (folder / f"d{index}/inner").stat().st_ino
        assert local.connection.nodes.open_descriptors <= BOUND


def test_another_folder_of_the_same_name_is_stale(folder: Path) -> None:
    local = Local(folder)
    nodes = [local.node(b"d%d" % index) for index in range(20)]
    (folder / "d0").rename(folder / "gone")
    (folder / "d0").mkdir()
    with pytest.raises(OSError, match="refused") as caught:
        local.call(m.GETATTR, (nodes[0], ()), 0)
    assert caught.value.errno == ESTALE


def test_a_symlink_in_place_of_an_evicted_folder_leads_nowhere(folder: Path) -> None:
    local = Local(folder)
    nodes = [local.node(b"d%d" % index) for index in range(20)]
    (folder / "d0").rename(folder / "gone")
    (folder / "d0").symlink_to("/etc")
    with pytest.raises(OSError, match="refused") as caught:
        local.call(m.GETATTR, (nodes[0], (b"passwd",)), 0)
    assert caught.value.errno == ESTALE


def test_descriptors_are_returned(folder: Path) -> None:
    local = Local(folder)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        nodes = [local.node(b"d%d" % index, b"inner") for index in range(20)]
        for index in range(20):
            local.call(m.WALK, (local.root, (b"d%d" % index, b"inner", b"none")))
        local.call(m.FORGET, tuple(nodes))
    assert len(os.listdir("/proc/self/fd")) <= before + BOUND


def test_nodes_are_bounded(folder: Path) -> None:
    local = Local(folder, nodes_max=10)
    for index in range(9):
        local.node(b"d%d" % index)
    with pytest.raises(OSError, match="refused") as caught:
        local.node(b"d10")
    assert caught.value.errno == ENFILE
    local.call(m.FORGET, tuple(range(2, 8)))
    local.node(b"d1")
