"""Attribute changes: clamped times, set-id bits, owners."""

import pytest

from sentry.vfs import namespace as ns
from syscalls.abi import errno as e
from syscalls.abi import fcntl as f
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.vfs.world import World, run, write

CWD = f.AT_FDCWD


@pytest.fixture
def world() -> World:
    world = World()
    run(ns.open_at(world.task, CWD, b"/f", f.O_CREAT | f.O_WRONLY, 0o644)).acquire().release()
    return world


def mode_of(world: World, path: bytes) -> int:
    return run(ns.stat_path(world.task, CWD, path, 0)).mode & 0o7777


@pytest.mark.parametrize(("wanted", "kept"), [(1 << 100, (1 << 63) - 1), (-(1 << 100), -(1 << 63)), (-5, -5)])
def test_times_are_clamped(world, wanted, kept):
    run(ns.utimens_at(world.task, CWD, b"/f", (wanted, None), 0))
    assert run(ns.stat_path(world.task, CWD, b"/f", 0)).atime_ns == kept


def test_a_write_by_others_clears_set_id_bits(world):
    run(ns.chown_at(world.task, CWD, b"/f", 1000, 1000, 0))
    run(ns.chmod_at(world.task, CWD, b"/f", 0o6777))
    user = world.new_task(1000)
    write(run(ns.open_at(world.task, CWD, b"/f", f.O_WRONLY, 0)), b"by root")
    assert mode_of(world, b"/f") == 0o6777
    write(run(ns.open_at(user, CWD, b"/f", f.O_WRONLY, 0)), b"by user")
    assert mode_of(world, b"/f") == 0o777


def test_chown_needs_privilege_but_for_own_groups(world):
    run(ns.chown_at(world.task, CWD, b"/f", 1000, 1000, 0))
    user = world.new_task(1000, groups=(7,))
    run(ns.chown_at(user, CWD, b"/f", 0xFFFFFFFF, 7, 0))
    for uid, gid in ((0, 0xFFFFFFFF), (0xFFFFFFFF, 8)):
        with pytest.raises(SyscallError) as caught:
            run(ns.chown_at(user, CWD, b"/f", uid, gid, 0))
        assert caught.value.errno == e.EPERM


def test_set_group_id_directories_hand_their_group_down(world):
    run(ns.mkdir_at(world.task, CWD, b"/d", 0o755))
    run(ns.chown_at(world.task, CWD, b"/d", 0xFFFFFFFF, 5, 0))
    run(ns.chmod_at(world.task, CWD, b"/d", 0o2777))
    user = world.new_task(1000)
    run(ns.mkdir_at(user, CWD, b"/d/sub", 0o755))
    run(ns.open_at(user, CWD, b"/d/f", f.O_CREAT | f.O_WRONLY, 0o2755))
    sub, file = (run(ns.stat_path(user, CWD, path, 0)) for path in (b"/d/sub", b"/d/f"))
    assert (sub.gid, sub.mode & 0o7777) == (5, 0o2755)
    assert (file.gid, file.mode & 0o7777) == (5, 0o755)


def test_sticky_directories_protect_other_peoples_names(world):
    run(ns.mkdir_at(world.task, CWD, b"/t", 0o755))
    run(ns.chmod_at(world.task, CWD, b"/t", 0o1777))
    one, two = world.new_task(1), world.new_task(2)
    run(ns.open_at(one, CWD, b"/t/f", f.O_CREAT | f.O_WRONLY, 0o666))
    for call in (ns.unlink_at(two, CWD, b"/t/f", is_rmdir=False), ns.rename_at(two, CWD, b"/t/f", CWD, b"/t/g", 0)):
        with pytest.raises(SyscallError) as caught:
            run(call)
        assert caught.value.errno == e.EPERM
    run(ns.unlink_at(one, CWD, b"/t/f", is_rmdir=False))
