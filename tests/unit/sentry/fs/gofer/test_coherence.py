"""A shared tree whose names and attributes are kept between the host's changes never shows anything stale."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.sentry.fs.gofer.mount import HostSource, Mount, drive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_bytes(b"12345")
    return tmp_path


@pytest.fixture
def mount(folder: Path) -> Iterator[Mount]:
    made = Mount(folder, is_shared=True, is_writable=True)
    if made.fs.coherence is None:
        made.close()
        pytest.skip("this host gives no watches")
    yield made
    made.close()


def test_what_is_known_costs_no_request(mount: Mount) -> None:
    mount.at("a/b/file")
    assert mount.at("a/b/none") is None
    before = mount.client.requests
    for _ in range(10):
        inode = mount.fs.root
        for name in (b"a", b"b", b"file"):
            inode = drive(inode.lookup(name))
            drive(inode.getattr())
        assert drive(inode.parent.lookup(b"none")) is None
    assert mount.client.requests == before


def test_each_change_of_the_host_is_seen_at_once(mount: Mount, folder: Path) -> None:
    inode = mount.at("a/b/file")
    for size in range(10):
        (folder / "a/b/file").write_bytes(b"x" * size)
        assert drive(inode.getattr()).size == size
        assert drive(inode.getattr()).size == size
        (folder / "a/b/file").chmod(0o600 + size)
        assert drive(inode.getattr()).mode & 0o777 == 0o600 + size
    for _ in range(5):
        assert drive(inode.parent.lookup(b"new")) is None
        (folder / "a/b/new").touch()
        assert drive(inode.parent.lookup(b"new")) is not None
        (folder / "a/b/new").unlink()
    (folder / "a").rename(folder / "c")
    assert mount.at("a") is None
    assert drive(mount.at("c/b/file").getattr()).size == 9


def test_a_folder_s_own_attributes(mount: Mount, folder: Path) -> None:
    inode = mount.at("a/b")
    assert drive(inode.getattr()).nlink == 2
    (folder / "a/b/sub").mkdir()
    assert drive(inode.getattr()).nlink == 3
    (folder / "a/b").chmod(0o700)
    assert drive(inode.getattr()).mode & 0o777 == 0o700


def test_own_writes_are_seen(mount: Mount) -> None:
    inode = mount.at("a/b/file")
    drive(inode.getattr())
    file = mount.open("a/b/file", os.O_RDWR)
    before = drive(inode.getattr()).mtime_ns
    file.try_write(HostSource(b"longer than before"), 0)
    assert drive(inode.getattr()).size == 18
    assert drive(inode.getattr()).mtime_ns >= before
    file.release()


def test_files_of_several_names_are_asked_again(mount: Mount, folder: Path) -> None:
    os.link(folder / "a/b/file", folder / "twin")
    inode = mount.at("twin")
    drive(inode.getattr())
    (folder / "a/b/file").write_bytes(b"by its other name")
    assert drive(inode.getattr()).size == 17


def test_after_an_overflow_everything_is_asked_again(mount: Mount, folder: Path) -> None:
    inode = mount.at("a/b/file")
    drive(inode.getattr())
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for index in range(limit // 2 + 10):
        path = folder / "a/b" / f"n{index}"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.unlink(path)
    (folder / "a/b/file").write_bytes(b"")
    (folder / "a/late").touch()
    assert drive(inode.getattr()).size == 0
    assert mount.at("a/late") is not None


NAMES = st.sampled_from(["x", "y", "d", "d/x", "d/e", "d/e/z"])
ACTS = ("touch", "write", "mkdir", "unlink", "rmdir", "rename", "chmod", "link", "look", "guest-create", "guest-unlink")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTS),
        NAMES,
        NAMES,
    ),
    max_size=40,
)


def host(root: Path, act: str, name: str, other: str) -> None:
    path = root / name
    try:
        if act == "touch":
            path.touch()
        elif act == "write":
            with path.open("ab") as file:
                file.write(b"more")
        elif act == "mkdir":
            path.mkdir()
        elif act == "unlink":
            path.unlink()
        elif act == "rmdir":
            path.rmdir()
        elif act == "rename":
            path.rename(root / other)
        elif act == "chmod":
            path.chmod(0o755 if path.stat().st_mode & 0o100 == 0 else 0o711)
        elif act == "link":
            os.link(path, root / other)
    except OSError:
        return


def guest(mount: Mount, act: str, name: str) -> None:
    from syscalls.abi.errors import SyscallError

    folder, _, last = name.rpartition("/")
    try:
        parent = mount.at(folder)
        if parent is None:
            return
        if act == "guest-create":
            if drive(parent.lookup(last.encode())) is None:
                inode = drive(parent.create(last.encode(), 0o100644, os.geteuid(), os.getegid()))
                mount.open(name, os.O_RDWR).release()
                assert inode.attr.nlink == 1
        else:
            inode = drive(parent.lookup(last.encode()))
            if inode is not None:
                drive(parent.unlink(last.encode(), inode))
    except SyscallError:
        return


def look(mount: Mount, root: Path) -> None:
    for name in ("x", "y", "d", "d/x", "d/e", "d/e/z"):
        try:
            wanted = (root / name).lstat()
        except OSError:
            wanted = None
        inode: object = mount.fs.root
        for part in name.split("/"):
            is_folder = inode is not None and inode.attr.mode & 0o170000 == 0o040000  # type: ignore[attr-defined]
            inode = drive(inode.lookup(part.encode())) if is_folder else None  # type: ignore[attr-defined]
        assert (inode is None) == (wanted is None), name
        if wanted is not None:
            attr = drive(inode.getattr())  # type: ignore[union-attr]
            assert (attr.mode, attr.size, attr.nlink, attr.mtime_ns, attr.ctime_ns, attr.ino) == (
                wanted.st_mode,
                wanted.st_size,
                wanted.st_nlink,
                wanted.st_mtime_ns,
                wanted.st_ctime_ns,
                wanted.st_ino,
            ), name


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_interleaving_shows_the_host_s_state(tmp_path: Path, steps: list[tuple[str, str, str]]) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    mount = Mount(root, is_shared=True, is_writable=True)
    try:
        for act, name, other in steps:
            if act == "look":
                look(mount, root)
            elif act.startswith("guest"):
                guest(mount, act, name)
            else:
                host(root, act, name, other)
        look(mount, root)
    finally:
        mount.close()
        shutil.rmtree(root)
