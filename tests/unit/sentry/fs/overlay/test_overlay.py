"""What a random script does not reach: identity across copy-up, whiteouts, several layers, remote lowers."""

import pytest

from sentry.fs.overlay.filesystem import OverlayFileSystem
from sentry.fs.tmpfs.filesystem import TmpFileSystem
from sentry.vfs import namespace as ns
from sentry.vfs.file import FileDescription
from syscalls.abi import errno as e
from syscalls.abi import fcntl as f
from syscalls.abi.errors import SyscallError
from syscalls.abi.stat import S_IFCHR
from tests.unit.sentry.vfs.world import Clock, World, read, run, write

CWD = f.AT_FDCWD


def put(world: World, path: bytes, data: bytes) -> None:
    file = run(ns.open_at(world.task, CWD, path, f.O_CREAT | f.O_WRONLY | f.O_TRUNC, 0o644)).acquire()
    write(file, data)
    file.release()


def get(world: World, path: bytes) -> bytes:
    return read(run(ns.open_at(world.task, CWD, path, 0, 0)))


def names(world: World, path: bytes) -> list[bytes]:
    file = run(ns.open_at(world.task, CWD, path, f.O_DIRECTORY, 0))
    return [entry.name for entry in run(file.read_entries())][2:]


def over(*lowers: World) -> World:
    clock = lowers[0].clock
    return World(OverlayFileSystem(50, TmpFileSystem(51, clock), [lower.root_fs for lower in lowers]), clock=clock)


@pytest.fixture
def lower() -> World:
    world = World(clock=Clock())
    run(ns.mkdir_at(world.task, CWD, b"/d", 0o755))
    put(world, b"/d/f", b"below")
    put(world, b"/d/big", b"B" * 200_000)
    run(ns.link_at(world.task, CWD, b"/d/f", CWD, b"/hard", 0))
    run(ns.setxattr(world.task, run(ns.resolve(world.task, CWD, b"/d/f")), b"user.a", b"1", 0))
    return world


def test_identity_survives_copy_up(lower):
    above = over(lower)
    before = run(ns.resolve(above.task, CWD, b"/d/f")).inode
    ino = before.attr.ino
    reader = run(ns.open_at(above.task, CWD, b"/d/f", 0, 0))
    file = run(ns.open_at(above.task, CWD, b"/d/f", f.O_RDWR, 0)).acquire()
    write(file, b"ABOVE")
    assert (file.inode, file.inode.attr.ino, file.inode.fs.dev) == (before, ino, 50)
    assert reader.inode is before
    assert get(above, b"/hard") == b"ABOVE"
    assert get(lower, b"/d/f") == b"below"


def test_metadata_changes_copy_no_contents(lower):
    above = over(lower)
    run(ns.chmod_at(above.task, CWD, b"/d/big", 0o600))
    run(ns.rename_at(above.task, CWD, b"/d/big", CWD, b"/moved", 0))
    inode = run(ns.resolve(above.task, CWD, b"/moved")).inode
    assert (inode.is_copied, inode.attr.mode & 0o777, above.root_fs.pool.bytes_used) == (False, 0o600, 0)
    assert get(above, b"/moved") == b"B" * 200_000
    assert lower.root_fs.root.children.keys() == {b"d", b"hard"}


def test_removed_names_stay_removed_and_cost_nothing_when_new(lower):
    above = over(lower)
    run(ns.unlink_at(above.task, CWD, b"/hard", is_rmdir=False))
    for number in range(10):
        put(above, b"/tmp%d" % number, b"x")
        run(ns.unlink_at(above.task, CWD, b"/tmp%d" % number, is_rmdir=False))
    assert above.root_fs.root.children == {b"hard": None}
    put(above, b"/hard", b"new")
    assert get(above, b"/hard") == b"new"
    run(ns.unlink_at(above.task, CWD, b"/hard", is_rmdir=False))
    assert names(above, b"/") == [b"d"]
    assert get(above, b"/d/f") == b"below"
    assert run(ns.resolve(above.task, CWD, b"/d/f")).inode.attr.nlink == 1


def test_contents_of_a_removed_file_are_freed(lower):
    above = over(lower)
    put(above, b"/d/big", b"C" * 300_000)
    assert above.root_fs.pool.bytes_used > 0
    run(ns.unlink_at(above.task, CWD, b"/d/big", is_rmdir=False))
    assert (above.root_fs.pool.bytes_used, above.root_fs.pool.fds_used) == (0, 0)


def test_a_moved_directory_keeps_what_is_below(lower):
    above = over(lower)
    run(ns.rename_at(above.task, CWD, b"/d", CWD, b"/e", 0))
    put(above, b"/e/new", b"n")
    assert (names(above, b"/e"), names(above, b"/")) == ([b"f", b"big", b"new"], [b"hard", b"e"])
    run(ns.mkdir_at(above.task, CWD, b"/d", 0o755))
    assert names(above, b"/d") == []


def test_xattrs_are_copied_with_the_first_change(lower):
    above = over(lower)
    place = run(ns.resolve(above.task, CWD, b"/d/f"))
    assert run(ns.getxattr(above.task, place, b"user.a")) == b"1"
    run(ns.setxattr(above.task, place, b"user.b", b"2", 0))
    assert run(ns.listxattr(above.task, place)) == [b"user.a", b"user.b"]
    run(ns.removexattr(above.task, place, b"user.a"))
    assert run(ns.listxattr(above.task, place)) == [b"user.b"]


def test_layers_merge_directories_and_hide_what_is_lower(lower):
    top = World(clock=lower.clock)
    run(ns.mkdir_at(top.task, CWD, b"/d", 0o700))
    put(top, b"/d/f", b"top")
    put(top, b"/d/only", b"o")
    run(ns.mknod_at(top.task, CWD, b"/hard", S_IFCHR, 0))
    above = over(top, lower)
    assert names(above, b"/d") == [b"f", b"only", b"big"]
    assert get(above, b"/d/f") == b"top"
    assert names(above, b"/") == [b"d"]
    with pytest.raises(SyscallError) as caught:
        run(ns.resolve(above.task, CWD, b"/hard"))
    assert caught.value.errno == e.ENOENT
    inodes = {run(ns.resolve(above.task, CWD, path)).inode.attr.ino for path in (b"/d/f", b"/d/only", b"/d/big")}
    assert len(inodes) == 3
    run(ns.unlink_at(above.task, CWD, b"/d/f", is_rmdir=False))
    assert names(above, b"/d") == [b"only", b"big"]


class RemoteFile(FileDescription):
    """A file whose contents come one request at a time and cannot be mapped."""

    __slots__ = ("real",)
    is_seekable = True
    is_remote = True

    async def read_remote(self, sink, offset):
        return self.real.try_read(sink, offset)

    async def size(self):
        return await self.real.size()


def test_contents_without_a_descriptor_are_read(lower, monkeypatch):
    node = type(run(ns.resolve(lower.task, CWD, b"/d/big")).inode)
    plain_open = node.open

    async def open_remote(self, context):
        file = RemoteFile(self, 0)
        file.real = await plain_open(self, context)
        return file

    above = over(lower)
    place = run(ns.resolve(above.task, CWD, b"/d/big"))
    monkeypatch.setattr(type(place.inode.origin), "open", open_remote)
    run(place.inode.copy_up())
    monkeypatch.undo()
    assert get(above, b"/d/big") == b"B" * 200_000


def test_a_full_overlay_says_so(lower):
    clock = lower.clock
    from sentry.fs.tmpfs.storage import StoragePool

    upper = TmpFileSystem(51, clock, StoragePool(bytes_max=100_000))
    above = World(OverlayFileSystem(50, upper, [lower.root_fs]), clock=clock)
    with pytest.raises(SyscallError) as caught:
        run(ns.open_at(above.task, CWD, b"/d/big", f.O_RDWR, 0))
    assert caught.value.errno == e.ENOSPC
    assert get(above, b"/d/big") == b"B" * 200_000
    assert upper.pool.bytes_used == 0
