"""The client file system over a real gofer, against the host's own view of the same folder."""

import gc
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gofer.protocol.attr import ATTR
from sentry.fs.gofer.file import ask
from sentry.fs.gofer.prefetch import AHEAD
from sentry.fs.gofer.record import Record
from sentry.sched.fiber import Fiber
from sentry.vfs.context import OpenContext
from sentry.vfs.stat import SetAttr
from syscalls.abi import errno as e
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.fs.gofer.mount import HostSink, HostSource, Mount, drive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/file").write_bytes(b"0123456789")
    (tmp_path / "a/b/link").symlink_to("../file")
    os.link(tmp_path / "a/file", tmp_path / "twin")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.fixture
def mount(folder: Path) -> Iterator[Callable[..., Mount]]:
    made: list[Mount] = []

    def make(**options: object) -> Mount:
        options.setdefault("is_shared", False)
        made.append(Mount(folder, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def same(attr: object, st_: os.stat_result) -> bool:
    names = ("ino", "mode", "nlink", "uid", "gid", "size", "blocks", "mtime_ns", "ctime_ns")
    return all(getattr(attr, name) == getattr(st_, f"st_{name}") for name in names)


def refused(coro: object) -> int:
    with pytest.raises(SyscallError) as caught:
        drive(coro)  # type: ignore[arg-type]
    return caught.value.errno


def test_a_path_costs_one_request(mount: Callable[..., Mount]) -> None:
    made = mount()
    before = made.client.requests
    found = drive(made.fs.root.lookup_many([b"a", b"b", b"c", b"none"]))
    assert made.client.requests == before + 1
    assert [inode and inode.name for inode in found] == [b"a", b"b", b"c", None]
    assert drive(found[2].lookup_many([b"x"])) == [None]


def test_a_walk_ends_at_a_link_and_at_a_file(mount: Callable[..., Mount]) -> None:
    made = mount()
    found = drive(made.fs.root.lookup_many([b"a", b"b", b"link", b"x"]))
    assert found[-1].link_text == b"../file"
    assert drive(found[-1].readlink()) == b"../file"
    assert len(found) == 3
    assert len(drive(made.fs.root.lookup_many([b"a", b"file", b"x"]))) == 2


def test_a_listed_folder_answers_lookups_itself(mount: Callable[..., Mount], folder: Path) -> None:
    made = mount()
    entries = drive(made.fs.root.read_children())
    assert {entry.name: entry.type for entry in entries} == {b"a": 4, b"twin": 8, b"pipe": 1}
    before = made.client.requests
    for entry in entries:
        inode = drive(made.fs.root.lookup(entry.name))
        assert inode.attr.ino == entry.ino
        assert same(inode.attr, (folder / os.fsdecode(entry.name)).lstat())
    assert drive(made.fs.root.lookup(b"none")) is None
    assert made.client.requests == before


def test_a_listed_folder_is_read_without_a_lookup_of_its_own(mount: Callable[..., Mount]) -> None:
    made = mount()
    drive(made.fs.root.read_children())
    before = made.client.requests
    inner = drive(made.fs.root.lookup(b"a"))
    assert inner.node == 0
    assert {entry.name for entry in drive(inner.read_children())} == {b"b", b"file"}
    assert inner.node
    assert made.client.requests == before + 1


def test_many_lookups_in_one_folder_end_in_its_listing(mount: Callable[..., Mount]) -> None:
    made = mount()
    before = made.client.requests
    for index in range(20):
        assert made.at(f"none{index}") is None
    assert made.client.requests == before + 2
    assert made.at("twin") is not None
    assert made.client.requests == before + 2


def test_lookups_below_folders_without_a_node(mount: Callable[..., Mount], folder: Path) -> None:
    made = mount()
    drive(made.fs.root.read_children())
    inner = drive(made.fs.root.lookup(b"a"))
    found = drive(inner.lookup_many([b"b", b"c"]))
    assert found[1].attr.ino == (folder / "a/b/c").stat().st_ino
    assert inner.node
    assert found[0].node


def test_hard_links_are_one_inode(mount: Callable[..., Mount]) -> None:
    made = mount()
    assert made.at("twin") is made.at("a/file")


def test_files_of_several_devices_differ_in_their_numbers(mount: Callable[..., Mount]) -> None:
    made = mount()

    def number(dev: int) -> int:
        body = ATTR.pack(5, stat.S_IFREG | 0o644, 2, 0, 0, 0, 0, 4096, 0, dev, 0, 0, 0, 0)
        return made.fs.inode_of(made.fs.root, b"name", Record(body, 0)).attr.ino

    assert len({number(1), number(2), number(3), 5}) == 4
    assert number(1) == number(1)


def test_reading_uses_the_donated_descriptor(mount: Callable[..., Mount]) -> None:
    made = mount()
    file = made.open("a/file")
    before = made.client.requests
    sink = HostSink(100)
    assert file.try_read(sink, 3) == 7
    assert sink.data == b"3456789"
    again = drive(file.inode.open(OpenContext(None, 0, None)))  # type: ignore[arg-type]
    assert again.try_read(HostSink(4), 0) == 4
    assert made.client.requests == before
    assert drive(file.mapping_fd(writable=True, shared=False)) == made.at("twin").host_fd
    assert refused(file.mapping_fd(writable=True, shared=True)) == e.EACCES
    assert drive(file.seek_data(4, hole=True)) == 10


def test_a_dropped_descriptor_comes_back(mount: Callable[..., Mount]) -> None:
    made = mount()
    file = made.open("a/file")
    assert not file.is_remote
    made.fs.drop_descriptor(made.at("twin"))
    assert file.is_remote
    sink = HostSink(2)
    assert drive(file.read_remote(sink, 0)) == 2
    assert sink.data == b"01"
    assert not file.is_remote


def test_descriptors_are_bounded(mount: Callable[..., Mount], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentry.fs.gofer.filesystem.DESCRIPTORS_MAX", 8)
    for index in range(30):
        (folder / f"f{index}").write_bytes(b"%d" % index)
    made = mount()
    before = len(os.listdir("/proc/self/fd"))
    files = [made.open(f"f{index}") for index in range(30)]
    assert len(os.listdir("/proc/self/fd")) <= before + 8 + AHEAD
    for index, file in enumerate(files):
        sink = HostSink(10)
        drive(file.read_remote(sink, 0))
        assert sink.data == b"%d" % index


@pytest.mark.parametrize("order", ["listed", "sorted", "inode"])
def test_files_opened_in_a_row_are_opened_ahead(mount: Callable[..., Mount], folder: Path, order: str) -> None:
    names = [f"f{(index * 7) % 100}" for index in range(100)]
    for name in names:
        (folder / "a/b/c" / name).write_bytes(name.encode())
    os.mkfifo(folder / "a/b/c/pipe")
    made = mount()
    inner = made.at("a/b/c")
    entries = [entry for entry in drive(inner.read_children()) if entry.type == 8]
    if order != "listed":
        entries.sort(key=lambda entry: entry.name if order == "sorted" else entry.ino)
    before, fds = made.client.requests, len(os.listdir("/proc/self/fd"))
    for entry in entries:
        file = drive(drive(inner.lookup(entry.name)).open(OpenContext(None, 0, None)))  # type: ignore[arg-type]
        sink = HostSink(10)
        drive(file.read_remote(sink, 0))
        assert sink.data == entry.name
    assert made.client.requests - before < 20
    made.fs.release()
    assert len(os.listdir("/proc/self/fd")) <= fds


def test_files_opened_at_random_are_not(mount: Callable[..., Mount], folder: Path) -> None:
    for index in range(40):
        (folder / "a/b/c" / f"f{index}").touch()
    made = mount()
    inner = made.at("a/b/c")
    drive(inner.read_children())
    for index in range(0, 40, 3):
        name = b"f%d" % ((index * 17) % 40)
        drive(drive(inner.lookup(name)).open(OpenContext(None, 0, None)))  # type: ignore[arg-type]
    assert not made.fs.prefetched._fds


def test_an_unchanging_tree_is_read_only(mount: Callable[..., Mount]) -> None:
    made = mount()
    root, file = made.fs.root, made.at("a/file")
    assert refused(root.mkdir(b"x", 0o755, 0, 0)) == e.EROFS
    assert refused(root.create(b"x", 0o100644, 0, 0)) == e.EROFS
    assert refused(root.unlink(b"pipe", made.at("pipe"))) == e.EROFS
    assert refused(file.setattr(SetAttr(mode=0))) == e.EROFS
    assert refused(root.rename(b"a", made.at("a"), root, b"z", None, 0)) == e.EROFS
    with pytest.raises(SyscallError, match="EROFS"):
        made.open("a/file", os.O_RDWR)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into the gofer")
def test_forgotten_inodes_return_their_nodes(mount: Callable[..., Mount], folder: Path) -> None:
    for index in range(300):
        (folder / f"d{index}").mkdir()
    made = mount()
    for index in range(300):
        made.at(f"d{index}")
    gc.collect()
    made.client.flush_releases()
    assert made.at("a") is not None
    held = len(os.listdir(f"/proc/{made.process.pid}/fd"))
    assert held < 40


def test_a_shared_tree_shows_the_host_s_changes(mount: Callable[..., Mount], folder: Path) -> None:
    made = mount(is_shared=True)
    inode = made.at("a/file")
    assert not inode.is_cacheable
    assert not inode.has_current_attr
    (folder / "a/file").write_bytes(b"longer than before")
    assert drive(inode.getattr()).size == 18
    assert made.at("a/new") is None
    (folder / "a/new").touch()
    assert made.at("a/new") is not None
    assert b"new" in {entry.name for entry in drive(made.at("a").read_children())}
    (folder / "a/file").unlink()
    (folder / "twin").unlink()
    assert drive(inode.getattr()).nlink == 0
    assert made.at("a/file") is None


def test_the_same_file_is_the_same_inode(mount: Callable[..., Mount], folder: Path) -> None:
    made = mount(is_shared=True)
    inode = made.at("a/file")
    (folder / "a/file").rename(folder / "a/renamed")
    assert made.at("a/renamed") is inode
    assert inode.is_placed_at(made.at("a"), b"renamed")


def test_writing_through(mount: Callable[..., Mount], folder: Path) -> None:
    made = mount(is_shared=True, is_writable=True)
    me = (os.geteuid(), os.getegid())
    root = made.fs.root
    inode = drive(root.create(b"new", stat.S_IFREG | 0o444, *me))
    file = made.open("new", os.O_RDWR)
    assert file.try_write(HostSource(b"hello"), 0) == 5
    assert file.try_write(HostSource(b" world"), -1) == 6
    assert inode.attr.size == 11
    assert (folder / "new").read_bytes() == b"hello world"
    assert drive(file.size()) == 11
    drive(file.truncate(4))
    drive(file.fsync(data_only=True))
    drive(file.allocate(0, 0, 50))
    assert (folder / "new").stat().st_size == 50 == inode.attr.size
    drive(inode.setattr(SetAttr(mode=0o600, mtime_ns=5_000_000_007)))
    assert (folder / "new").stat().st_mtime_ns == 5_000_000_007 == inode.attr.mtime_ns
    drive(root.unlink(b"new", inode))
    assert drive(inode.getattr()).nlink == 0
    assert file.try_write(HostSource(b"still"), 0) == 5
    drive(inode.setattr(SetAttr(size=1)))
    file.release()


def test_a_reader_s_mapping_of_a_new_file_cannot_be_written(mount: Callable[..., Mount]) -> None:
    made = mount(is_shared=True, is_writable=True)
    drive(made.fs.root.create(b"new", stat.S_IFREG | 0o644, os.geteuid(), os.getegid()))
    file = made.open("new", os.O_RDONLY)
    fd = drive(file.mapping_fd(writable=False, shared=True))
    with pytest.raises(OSError, match="Bad file"):
        os.pwrite(fd, b"x", 0)
    file.release()


def test_names_change_through_the_tree(mount: Callable[..., Mount], folder: Path) -> None:
    made = mount(is_shared=True, is_writable=True)
    me = (os.geteuid(), os.getegid())
    root = made.fs.root
    made_dir = drive(root.mkdir(b"dir", 0o755, *me))
    assert made_dir.node
    link = drive(made_dir.symlink(b"s", b"target", *me))
    assert drive(link.readlink()) == b"target"
    drive(made_dir.create(b"p", stat.S_IFIFO | 0o600, *me))
    assert drive(made_dir.create(b"sock", stat.S_IFSOCK | 0o600, *me)).attr.mode == stat.S_IFSOCK | 0o600
    assert refused(made_dir.create(b"device", stat.S_IFCHR | 0o600, *me)) == e.EPERM
    drive(made_dir.unlink(b"sock", made.at("dir/sock")))
    file = made.at("a/file")
    drive(made_dir.link(b"third", file))
    assert file.attr.nlink == 3
    drive(root.rename(b"dir", made_dir, made.at("a"), b"moved", None, 0))
    assert (folder / "a/moved/third").stat().st_nlink == 3
    assert {entry.name for entry in drive(made_dir.read_children())} == {b"s", b"p", b"third"}
    for name in (b"s", b"p", b"third"):
        drive(made_dir.unlink(name, drive(made_dir.lookup(name))))
    drive(made.at("a").rmdir(b"moved", made_dir))
    assert not (folder / "a/moved").exists()


def test_a_nameless_file(mount: Callable[..., Mount]) -> None:
    made = mount(is_shared=True, is_writable=True)
    inode = drive(made.fs.root.tmpfile(0o600, os.geteuid(), os.getegid()))
    file = drive(inode.open(OpenContext(None, os.O_RDWR, None))).acquire()  # type: ignore[arg-type]
    assert file.try_write(HostSource(b"data"), 0) == 4
    assert drive(inode.getattr()).size == 4
    file.release()


def test_many_fibers_share_the_gofer(mount: Callable[..., Mount], folder: Path) -> None:
    made = mount(with_loop=True)
    paths = [[b"a", b"b", b"c"], [b"a", b"file"], [b"none"], [b"twin"]] * 50
    results = made.loop.run(*(made.fs.root.lookup_many(path) for path in paths))
    for path, found in zip(paths, results, strict=True):
        assert (found[-1] is None) == (path == [b"none"])
        assert len(found) == len(path)


def test_when_the_gofer_dies_every_waiter_gets_eio(mount: Callable[..., Mount], folder: Path) -> None:
    made = Mount(folder, is_shared=False, with_loop=True)
    made.process.process.kill()
    made.process.process.wait()
    results = made.loop.run(made.fs.root.lookup(b"a"), made.fs.root.lookup(b"twin"))
    assert [result.errno for result in results] == [e.EIO, e.EIO]
    assert made.closed == 1
    assert refused(made.fs.root.lookup(b"a")) == e.EIO
    made.client.close()


def test_a_cancelled_open_returns_its_descriptor(mount: Callable[..., Mount]) -> None:
    made = mount(with_loop=True)
    inode = made.loop.run(made.fs.root.lookup_many([b"a", b"file"]))[0][-1]
    before = len(os.listdir("/proc/self/fd"))
    fiber = Fiber(made.loop.runner, lambda value: None, lambda error: None)
    fiber.start(ask(inode, 0))
    assert fiber.is_parked
    fiber.cancel()
    made.loop.run(made.fs.root.lookup(b"twin"))
    assert len(os.listdir("/proc/self/fd")) == before


NAME = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..") and len(name.encode()) <= 255
)
TREES = st.recursive(
    st.one_of(st.binary(max_size=40), st.text("abc/.", min_size=1, max_size=10).map(lambda text: ("link", text))),
    lambda children: st.dictionaries(NAME, children, max_size=5),
    max_leaves=15,
)


def build(at: Path, tree: object) -> None:
    if isinstance(tree, dict):
        at.mkdir(exist_ok=True)
        for name, below in tree.items():
            build(at / name, below)
    elif isinstance(tree, tuple):
        at.symlink_to(tree[1])
    else:
        at.write_bytes(tree)  # type: ignore[arg-type]


def compare(made: Mount, inode: object, path: Path) -> None:
    info = path.lstat()
    assert same(drive(inode.getattr()), info)  # type: ignore[attr-defined]
    if stat.S_ISDIR(info.st_mode):
        listed = {os.fsdecode(entry.name): entry for entry in drive(inode.read_children())}  # type: ignore[attr-defined]
        assert sorted(listed) == sorted(os.listdir(path))
        for name in listed:
            compare(made, drive(inode.lookup(os.fsencode(name))), path / name)  # type: ignore[attr-defined]
    elif stat.S_ISLNK(info.st_mode):
        assert drive(inode.readlink()) == os.fsencode(os.readlink(path))  # type: ignore[attr-defined]
    else:
        file = drive(inode.open(OpenContext(None, 0, None))).acquire()  # type: ignore[attr-defined, arg-type]
        sink = HostSink(100)
        assert file.try_read(sink, 0) == info.st_size
        assert sink.data == path.read_bytes()
        file.release()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=st.dictionaries(NAME, TREES, max_size=6), is_shared=st.booleans())
def test_any_tree_looks_as_the_host_sees_it(tmp_path: Path, tree: dict[str, object], is_shared: bool) -> None:
    at = tmp_path / "tree"
    build(at, tree)
    made = Mount(at, is_shared=is_shared)
    try:
        compare(made, made.fs.root, at)
    finally:
        made.close()
        shutil.rmtree(at)


def contents(file: Any) -> bytes:
    sink = HostSink(100)
    if file.is_remote:
        drive(file.read_remote(sink, 0))
    else:
        file.try_read(sink, 0)
    return sink.data


def open_again(inode: Any) -> Any:
    """As a walk does that the dentry cache answers."""
    return drive(inode.open(OpenContext(None, 0, None))).acquire()  # type: ignore[arg-type]


def put_another(folder: Path, text: str) -> None:
    (folder / "new").write_text(text)
    (folder / "new").rename(folder / "a/file")


def test_a_file_that_the_host_replaces_before_it_is_opened(mount: Callable[..., Mount], folder: Path) -> None:
    """The walk has seen the old one; open(2) gives the new one with its own size and number."""
    made = mount()
    seen = made.at("a/file")
    put_another(folder, "another and longer")
    file = open_again(seen)
    assert contents(file) == b"another and longer"
    assert (seen.attr.size, seen.attr.ino) == (18, (folder / "a/file").stat().st_ino)
    made.fs.drop_descriptor(seen)
    assert contents(file) == b"another and longer"


def test_an_open_file_never_turns_into_another(mount: Callable[..., Mount], folder: Path) -> None:
    made = mount()
    old = made.open("a/file")
    put_another(folder, "new")
    assert (contents(old), contents(open_again(old.gofer_inode))) == (b"0123456789", b"0123456789")
    made.fs.drop_descriptor(old.gofer_inode)
    assert refused(old.read_remote(HostSink(100), 0)) == e.ESTALE
    assert contents(open_again(old.gofer_inode)) == b"new"
    assert old.is_remote
    assert refused(old.read_remote(HostSink(100), 0)) == e.ESTALE
    assert refused(old.mapping_fd(writable=False, shared=False)) == e.ESTALE
