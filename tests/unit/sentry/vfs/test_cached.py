"""What is answered without a coroutine is what the coroutine would answer."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.fs.tmpfs.regular import RegularFile
from sentry.vfs import namespace as ns
from sentry.vfs.attributes import access_cached
from sentry.vfs.lock import FileLocks
from sentry.vfs.mount import MS_RDONLY
from sentry.vfs.opening import open_cached
from syscalls.abi import fcntl as f
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.vfs.test_pathwalk import mount
from tests.unit.sentry.vfs.world import World, run

CWD = f.AT_FDCWD
PATHS = (
    b"/d",
    b"/d/",
    b"/d/f",
    b"/d/f/",
    b"/d/secret",
    b"/d/link",
    b"/d/dangling",
    b"/d/program",
    b"/ro/f",
    b"/none",
    b"/locked/f",
    b"",
)
FLAGS = (
    f.O_RDONLY,
    f.O_WRONLY,
    f.O_RDWR,
    f.O_APPEND,
    f.O_DIRECTORY,
    f.O_NOFOLLOW,
    f.O_NOATIME,
    f.O_TRUNC,
    f.O_CREAT,
    f.O_PATH,
    f.O_EXCL,
)


def make_world() -> World:
    world = World()
    task = world.task
    for path, mode in ((b"/d", 0o755), (b"/ro", 0o755), (b"/locked", 0o700)):
        run(ns.mkdir_at(task, CWD, path, mode))
    for path, mode in ((b"/d/f", 0o644), (b"/d/secret", 0o600), (b"/d/program", 0o755), (b"/locked/f", 0o666)):
        run(ns.open_at(task, CWD, path, f.O_CREAT | f.O_WRONLY, mode)).acquire().release()
    run(ns.symlink_at(task, b"f", CWD, b"/d/link"))
    run(ns.symlink_at(task, b"nowhere", CWD, b"/d/dangling"))
    fs = mount(world, b"/ro")
    run(ns.open_at(task, CWD, b"/ro/f", f.O_CREAT | f.O_WRONLY, 0o666)).acquire().release()
    run(ns.resolve(task, CWD, b"/ro")).mount.flags |= MS_RDONLY
    assert fs.root.children.keys() == {b"f"}
    return world


def outcome(call):
    try:
        return call()
    except SyscallError as error:
        return error.errno


@given(st.sampled_from(PATHS), st.sets(st.sampled_from(FLAGS)), st.sampled_from((0, 1000)))
def test_an_open_at_hand_is_the_open_that_waits(path, flags, uid):
    world = make_world()
    task = world.new_task(uid)
    wanted = 0
    for flag in flags:
        wanted |= flag
    wanted = wanted & ~f.O_ACCMODE | wanted % 3
    at_hand = outcome(lambda: open_cached(task, CWD, path, wanted))
    if at_hand is None:
        return
    waited = outcome(lambda: run(ns.open_at(task, CWD, path, wanted, 0)))
    if isinstance(waited, int):
        assert at_hand == waited
    else:
        assert (type(at_hand), at_hand.flags, at_hand.path, at_hand.inode) == (
            type(waited),
            waited.flags,
            waited.path,
            waited.inode,
        )
        assert at_hand.is_counted_writer == waited.is_counted_writer


@given(st.sampled_from(PATHS), st.integers(0, 7), st.sampled_from((0, 1000)))
def test_an_access_at_hand_is_the_access_that_waits(path, mode, uid):
    world = make_world()
    task = world.new_task(uid)
    at_hand = outcome(lambda: access_cached(task, CWD, path, mode))
    if at_hand is not False:
        waited = outcome(lambda: run(ns.access_at(task, CWD, path, mode, 0)))
        assert at_hand == (True if waited is None else waited)


@pytest.mark.parametrize("path", [b"/d", b"/d/f", b"/d/link", b"/ro/f"])
def test_the_usual_open_and_access_need_no_coroutine(path):
    world = make_world()
    file = open_cached(world.task, CWD, path, f.O_RDONLY)
    assert file is not None
    assert file.inode is run(ns.resolve(world.task, CWD, path)).inode
    assert access_cached(world.task, CWD, path, 4)


@pytest.mark.parametrize("flag", [f.O_CREAT, f.O_TRUNC, f.O_PATH, f.O_TMPFILE])
def test_what_makes_or_changes_a_file_waits(flag):
    assert open_cached(make_world().task, CWD, b"/d/f", flag) is None


def test_a_lease_must_be_awaited():
    world = make_world()
    inode = run(ns.resolve(world.task, CWD, b"/d/f")).inode
    inode.locks = FileLocks()
    inode.locks.leases.append(object())
    assert open_cached(world.task, CWD, b"/d/f", f.O_RDONLY) is None


def test_a_saved_id_makes_access_wait():
    world = make_world()
    task = world.new_task(1000)
    task.credentials = replace(task.credentials, uid=1001)
    assert access_cached(task, CWD, b"/d/f", 4) is False


def test_a_class_with_an_open_of_its_own_is_not_opened_behind_its_back():
    class Special(RegularFile):
        __slots__ = ()

        async def open(self, context):
            raise NotImplementedError

    world = make_world()
    inode = Special(world.root_fs, world.root_fs.new_attr(0o100644, 0, 0))
    assert inode.open_now(None) is None
