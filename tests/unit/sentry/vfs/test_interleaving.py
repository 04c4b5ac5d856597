"""Several tasks on one overlay whose lower answers late: only guest errors come out, and the dentry cache stays true."""

import random
from types import coroutine

import pytest

from sentry.fs.overlay.filesystem import OverlayFileSystem
from sentry.fs.tmpfs.directory import Directory
from sentry.fs.tmpfs.filesystem import TmpFileSystem
from sentry.fs.tmpfs.node import Node
from sentry.fs.tmpfs.regular import RegularFile
from sentry.vfs import namespace as ns
from syscalls.abi import fcntl as f
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.vfs.world import World, run

CWD = f.AT_FDCWD
NAMES = (b"a", b"b", b"c")


@coroutine
def pause():
    yield


class SlowDirectory(Directory):
    __slots__ = ()

    async def lookup(self, name):
        await pause()
        return await super().lookup(name)

    async def read_children(self):
        await pause()
        return await super().read_children()


class SlowFile(RegularFile):
    __slots__ = ()

    async def open(self, context):
        await pause()
        return await super().open(context)


class SlowFileSystem(TmpFileSystem):
    def make_directory(self, attr) -> Directory:
        return SlowDirectory(self, attr)

    def make(self, mode, uid, gid, *, rdev=0) -> Node:
        if mode & 0o170000 == 0o100000:
            return SlowFile(self, self.new_attr(mode, uid, gid))
        return super().make(mode, uid, gid, rdev=rdev)


def drive(work) -> None:
    """Run one coroutine to its end, however often it pauses."""
    while True:
        try:
            work.send(None)
        except StopIteration:
            return


def random_path(rng: random.Random) -> bytes:
    return b"/" + b"/".join(rng.choice(NAMES) for _ in range(rng.randint(1, 3)))


async def one_operation(task, rng: random.Random) -> None:
    path, other = random_path(rng), random_path(rng)
    kind = rng.randrange(9)
    if kind == 0:
        await ns.mkdir_at(task, CWD, path, 0o755)
    elif kind == 1:
        (await ns.open_at(task, CWD, path, f.O_CREAT | f.O_RDWR, 0o644)).acquire().release()
    elif kind == 2:
        await ns.unlink_at(task, CWD, path, is_rmdir=False)
    elif kind == 3:
        await ns.unlink_at(task, CWD, path, is_rmdir=True)
    elif kind == 4:
        await ns.rename_at(task, CWD, path, CWD, other, rng.choice((0, 0, f.RENAME_EXCHANGE, f.RENAME_NOREPLACE)))
    elif kind == 5:
        await ns.link_at(task, CWD, path, CWD, other, 0)
    elif kind == 6:
        await (await ns.open_at(task, CWD, path, f.O_DIRECTORY, 0)).read_entries()
    elif kind == 7:
        await ns.truncate_path(task, path, rng.randrange(10))
    else:
        await ns.stat_path(task, CWD, path, 0)


async def many_operations(task, rng: random.Random, count: int) -> None:
    for _ in range(count):
        try:
            await one_operation(task, rng)
        except SyscallError:
            pass


async def check(task, place, depth: int = 0) -> int:
    """What the cache says is what the file system says. Returns the number of entries."""
    total = 0
    for name, dentry in list(place.dentry.children.items()):
        assert dentry.parent is place.dentry
        assert dentry.name == name
        found = await place.inode.lookup(name)
        if dentry.inode is not found:
            assert not dentry.inode.is_owned, name
            assert dentry.inode.attr.ino == found.attr.ino, name
    for entry in await place.inode.read_children():
        child = await ns.lookup_child(task, place, entry.name)
        assert child.inode is not None, entry.name
        assert child.inode.attr.ino == entry.ino
        total += 1
        if entry.type == 4 and depth < 10:
            total += await check(task, type(place)(place.mount, child), depth + 1)
    return total


@pytest.mark.parametrize("seed", range(100))
def test_interleaved_tasks(seed):
    rng = random.Random(seed)
    below = World()
    below = World(SlowFileSystem(below.mounts.allocate_dev(), below.clock, mode=0o755))
    drive(many_operations(below.task, rng, 60))
    above = World(OverlayFileSystem(50, TmpFileSystem(51, below.clock), [below.root_fs]), clock=below.clock)
    working = [many_operations(above.new_task(), random.Random(rng.random()), 80) for _ in range(4)]
    while working:
        chosen = rng.choice(working)
        try:
            chosen.send(None)
        except StopIteration:
            working.remove(chosen)
    found: list[int] = []

    async def verify() -> None:
        found.append(await check(above.task, above.namespace.root_path))

    drive(verify())
    assert found
    assert run(ns.resolve(above.task, CWD, b"/")).inode is above.root_fs.root
