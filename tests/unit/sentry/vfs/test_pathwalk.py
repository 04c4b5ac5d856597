"""Path resolution beyond what the model test reaches: mounts, roots, credentials, limits, RESOLVE_*."""

import pytest

from sentry.fs.tmpfs.filesystem import TmpFileSystem
from sentry.kernel.fs_context import FsContext
from sentry.vfs import namespace as ns
from sentry.vfs.dentry import DentryCache
from sentry.vfs.inode import Inode
from sentry.vfs.lookup import try_resolve
from sentry.vfs.mount import MS_RDONLY, MountTable
from sentry.vfs.pathwalk import walk
from syscalls.abi import errno as e
from syscalls.abi import fcntl as f
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.vfs.world import World, run

CWD = f.AT_FDCWD


@pytest.fixture
def world() -> World:
    world = World()
    for path in (b"/usr", b"/usr/lib", b"/usr/lib/x", b"/mnt", b"/home"):
        run(ns.mkdir_at(world.task, CWD, path, 0o755))
    run(ns.symlink_at(world.task, b"usr/lib", CWD, b"/lib"))
    run(ns.symlink_at(world.task, b"/usr/lib", CWD, b"/abs"))
    return world


def fails(errno: int, coroutine) -> None:
    with pytest.raises(SyscallError) as caught:
        run(coroutine)
    assert caught.value.errno == errno


def name_of(world: World, path: bytes, **kwargs) -> bytes:
    return ns.pathname_of(run(ns.resolve(world.task, CWD, path, **kwargs)), world.task.fs.root)


def mount(world: World, path: bytes, flags: int = 0) -> TmpFileSystem:
    fs = TmpFileSystem(world.mounts.allocate_dev(), world.clock)
    world.namespace.attach(world.mounts.mount(fs, flags), run(ns.resolve(world.task, CWD, path)))
    return fs


def test_names_follow_links_and_dots(world):
    assert name_of(world, b"/lib/x/../x/.") == b"/usr/lib/x"
    assert name_of(world, b"/abs//x/") == b"/usr/lib/x"
    assert name_of(world, b"/lib", follow=False) == b"/lib"
    assert name_of(world, b"/lib/", follow=False) == b"/usr/lib"


def test_mounts_are_crossed_both_ways(world):
    fs = mount(world, b"/mnt")
    assert run(ns.resolve(world.task, CWD, b"/mnt")).inode is fs.root
    run(ns.mkdir_at(world.task, CWD, b"/mnt/inner", 0o755))
    assert name_of(world, b"/mnt/inner") == b"/mnt/inner"
    assert name_of(world, b"/mnt/inner/../..") == b"/"
    assert fs.root.children.keys() == {b"inner"}
    fails(e.EBUSY, ns.unlink_at(world.task, CWD, b"/mnt", is_rmdir=True))
    fails(e.EXDEV, ns.rename_at(world.task, CWD, b"/mnt/inner", CWD, b"/home/inner", 0))
    world.namespace.detach(run(ns.resolve(world.task, CWD, b"/mnt")).mount)
    fails(e.ENOENT, ns.resolve(world.task, CWD, b"/mnt/inner"))


def test_stacked_mounts_show_the_last(world):
    mount(world, b"/mnt")
    above = mount(world, b"/mnt")
    assert run(ns.resolve(world.task, CWD, b"/mnt/../mnt")).inode is above.root


def test_read_only_mount(world):
    mount(world, b"/mnt", MS_RDONLY)
    fails(e.EROFS, ns.mkdir_at(world.task, CWD, b"/mnt/d", 0o755))
    fails(e.EROFS, ns.open_at(world.task, CWD, b"/mnt/f", f.O_CREAT | f.O_WRONLY, 0o644))
    fails(e.EROFS, ns.chmod_at(world.task, CWD, b"/mnt", 0o700))
    fails(e.EROFS, ns.access_at(world.task, CWD, b"/mnt", f.W_OK, 0))


def test_chroot_is_a_jail(world):
    place = run(ns.resolve(world.task, CWD, b"/usr"))
    world.task.fs = FsContext(place, place)
    assert name_of(world, b"/../../lib/..") == b"/"
    assert name_of(world, b"../lib") == b"/lib"
    outside = world.namespace.root_path
    assert ns.reachable_name(outside, place) == (b"/", False)


def test_copied_namespace_has_its_own_mounts(world):
    fs = mount(world, b"/mnt")
    copy, _ = world.namespace.copy()
    other = world.new_task()
    other.mounts = copy
    other.fs = FsContext(copy.root_path, copy.root_path)
    assert run(ns.resolve(other, CWD, b"/mnt")).inode is fs.root
    copy.detach(run(ns.resolve(other, CWD, b"/mnt")).mount)
    assert run(ns.resolve(other, CWD, b"/mnt")).inode is not fs.root
    assert run(ns.resolve(world.task, CWD, b"/mnt")).inode is fs.root


def test_search_permission(world):
    run(ns.chmod_at(world.task, CWD, b"/usr", 0o700))
    user = world.new_task(1000)
    fails(e.EACCES, ns.resolve(user, CWD, b"/usr/lib"))
    fails(e.EACCES, ns.resolve(user, CWD, b"/usr/missing"))
    with pytest.raises(SyscallError):
        try_resolve(user, CWD, b"/usr/lib")
    run(ns.chown_at(world.task, CWD, b"/usr", 0xFFFFFFFF, 7, 0))
    run(ns.chmod_at(world.task, CWD, b"/usr", 0o710))
    member = world.new_task(1000, groups=(7,))
    assert name_of(World(world.root_fs, world.mounts), b"/usr/lib")
    run(ns.resolve(member, CWD, b"/usr/lib"))


def test_limits(world):
    fails(e.ENAMETOOLONG, ns.resolve(world.task, CWD, b"/" + b"x" * 256))
    fails(e.ENOENT, ns.resolve(world.task, CWD, b"/" + b"x" * 255))
    fails(e.ENOENT, ns.resolve(world.task, CWD, b""))
    run(ns.symlink_at(world.task, b"/l0", CWD, b"/l0"))
    fails(e.ELOOP, ns.resolve(world.task, CWD, b"/l0"))
    previous = b"/usr"
    for number in range(1, 42):
        run(ns.symlink_at(world.task, previous, CWD, b"/k%d" % number))
        previous = b"/k%d" % number
    run(ns.resolve(world.task, CWD, b"/k40"))
    fails(e.ELOOP, ns.resolve(world.task, CWD, b"/k41"))


@pytest.mark.parametrize(
    ("path", "flags", "errno"),
    [
        (b"../home", f.RESOLVE_BENEATH, e.EXDEV),
        (b"/usr", f.RESOLVE_BENEATH, e.EXDEV),
        (b"lib/../lib", f.RESOLVE_BENEATH, 0),
        (b"esc", f.RESOLVE_BENEATH, e.EXDEV),
        (b"esc", f.RESOLVE_IN_ROOT, e.ENOENT),
        (b"../lib", f.RESOLVE_IN_ROOT, 0),
        (b"/lib", f.RESOLVE_IN_ROOT, 0),
        (b"esc", f.RESOLVE_NO_SYMLINKS, e.ELOOP),
        (b"lib/nothing", f.RESOLVE_CACHED, e.EAGAIN),
    ],
)
def test_resolve_flags(world, path, flags, errno):
    run(ns.symlink_at(world.task, b"/home", CWD, b"/usr/esc"))
    directory = run(ns.open_at(world.task, CWD, b"/usr", f.O_PATH, 0))
    fd = world.task.fds.install(directory)
    if errno:
        fails(errno, ns.resolve(world.task, fd, path, resolve_flags=flags))
    else:
        assert ns.pathname_of(run(ns.resolve(world.task, fd, path, resolve_flags=flags)), world.task.fs.root) == b"/usr/lib"


def test_no_xdev(world):
    mount(world, b"/mnt")
    fails(e.EXDEV, ns.resolve(world.task, CWD, b"/mnt", resolve_flags=f.RESOLVE_NO_XDEV))
    run(ns.resolve(world.task, CWD, b"/usr", resolve_flags=f.RESOLVE_NO_XDEV))


def test_directory_renamed_under_a_task(world):
    world.task.fs.cwd = run(ns.resolve(world.task, CWD, b"/usr/lib/x"))
    run(ns.rename_at(world.task, CWD, b"/usr/lib", CWD, b"/home/lib", 0))
    assert ns.pathname_of(world.task.fs.cwd, world.task.fs.root) == b"/home/lib/x"
    fails(e.EINVAL, ns.rename_at(world.task, CWD, b"/home", CWD, b"/home/lib/x/h", 0))


def test_removed_working_directory(world):
    world.task.fs.cwd = run(ns.resolve(world.task, CWD, b"/usr/lib/x"))
    run(ns.unlink_at(world.task, CWD, b"/usr/lib/x", is_rmdir=True))
    assert ns.pathname_of(world.task.fs.cwd, world.task.fs.root) == b"/usr/lib/x (deleted)"
    fails(e.ENOENT, ns.mkdir_at(world.task, CWD, b"new", 0o755))
    fails(e.ENOENT, ns.resolve(world.task, CWD, b"any"))
    assert name_of(world, b"..") == b"/usr/lib"


class Counting(Inode):
    """A remote directory: counts its requests, answers whole walks."""

    __slots__ = ("calls", "tree")

    def __init__(self, fs, attr, tree, calls):
        super().__init__(fs, attr)
        self.tree = tree
        self.calls = calls

    async def lookup(self, name):
        return (await self.lookup_many([name]))[0]

    async def lookup_many(self, names):
        self.calls.append(list(names))
        found, node = [], self
        for name in names:
            node = node.tree.get(name)
            found.append(node)
            if node is None:
                break
        return found


def test_a_whole_walk_is_one_request_and_then_none():
    world = World()
    attr = world.root_fs.root.attr
    calls: list[list[bytes]] = []
    leaf = Counting(world.root_fs, attr, {}, calls)
    below = Counting(world.root_fs, attr, {b"c": leaf}, calls)
    top = Counting(world.root_fs, attr, {b"b": below}, calls)
    world.root_fs.root = root = Counting(world.root_fs, attr, {b"a": top}, calls)
    world.root_fs.root_dentry.inode = root
    root_path = world.task.fs.root
    assert run(walk(world.task, root_path, b"/a/b/c")).inode is leaf
    assert calls == [[b"a", b"b", b"c"]]
    assert try_resolve(world.task, CWD, b"/a/b/c").inode is leaf
    fails(e.ENOENT, walk(world.task, root_path, b"/a/b/d"))
    fails(e.ENOENT, walk(world.task, root_path, b"/a/b/d"))
    with pytest.raises(SyscallError):
        try_resolve(world.task, CWD, b"/a/b/d")
    assert calls == [[b"a", b"b", b"c"], [b"d"]]
    assert try_resolve(world.task, CWD, b"/a/b/c/unknown") is None


def test_the_cache_is_bounded_and_keeps_what_is_in_use():
    world = World(mounts=MountTable(dentries_max=100))
    held = []
    for number in range(1000):
        name = b"/d%d" % number
        run(ns.mkdir_at(world.task, CWD, name, 0o755))
        if number % 20 == 0:
            held.append(run(ns.resolve(world.task, CWD, name)))
    assert len(world.mounts.cache) <= 200
    for place in held:
        assert run(ns.resolve(world.task, CWD, b"/" + place.dentry.name)).dentry is place.dentry
    assert len({run(ns.resolve(world.task, CWD, b"/d%d" % n)).inode for n in range(1000)}) == 1000


def test_the_cache_has_a_default_limit():
    assert DentryCache().limit == 16_384
