"""/proc/PID: form, ownership, liveness, and that nothing of the host shows."""

import os
import re

import pytest

from sentry.mm.usermem import BytesSink
from sentry.vfs import namespace
from syscalls.abi.errno import EACCES, EINVAL, ENOENT, EPERM, ESRCH
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.fs.synthetic_world import AT_FDCWD, World

STATUS_OPTIONAL = {b"Kthread", b"untag_mask", b"x86_Thread_features", b"x86_Thread_features_locked", b"Seccomp_filters"}


@pytest.fixture
def world() -> World:
    return World()


def error_of(act) -> int:
    with pytest.raises(SyscallError) as caught:
        act()
    return caught.value.errno


def host(name: str) -> bytes:
    with open(f"/proc/self/{name}", "rb") as file:
        return file.read()


def test_self_is_who_looks(world: World) -> None:
    child = world.spawn(7, world.init)
    assert world.readlink(b"/proc/self") == b"1"
    assert world.readlink(b"/proc/self", child) == b"7"
    assert world.readlink(b"/proc/thread-self", child) == b"7/task/7"
    assert world.read(b"/proc/self/comm", child) == b"task7\n"


def test_status_has_the_lines_of_the_host(world: World) -> None:
    mine = [line.split(b":")[0] for line in world.read(b"/proc/self/status").splitlines()]
    theirs = [line.split(b":")[0] for line in host("status").splitlines()]
    assert [name for name in theirs if name not in STATUS_OPTIONAL] == [name for name in mine if name not in STATUS_OPTIONAL]


def test_status_speaks_of_the_guest(world: World) -> None:
    child = world.spawn(9, world.init, uid=1000)
    lines = dict(line.split(b":\t", 1) for line in world.read(b"/proc/9/status").splitlines())
    assert lines[b"Pid"] == lines[b"Tgid"] == b"9"
    assert lines[b"PPid"] == b"1"
    assert lines[b"Uid"] == b"1000\t1000\t1000\t1000"
    assert lines[b"CapEff"] == b"0" * 16
    assert str(os.getpid()).encode() not in lines.values()
    assert child.name == lines[b"Name"]


def test_stat_has_52_fields_in_any_name(world: World) -> None:
    world.init.name = b"a) b (c"
    line = world.read(b"/proc/1/stat")
    assert line.startswith(b"1 (a) b (c) R 0 1 1 0 -1 ")
    assert len(line.rpartition(b")")[2].split()) == 50 == len(host("stat").rpartition(b")")[2].split())


def test_addresses_are_hidden_from_others(world: World) -> None:
    stranger = world.spawn(5, world.init, uid=1000)
    fields = world.read(b"/proc/1/stat", stranger).rpartition(b")")[2].split()
    assert set(fields[23:28]) == {b"0"}
    for name in (b"maps", b"environ", b"auxv", b"smaps_rollup", b"io"):
        assert error_of(lambda name=name: world.read(b"/proc/1/" + name, stranger)) == EACCES
    for name in (b"exe", b"cwd", b"root"):
        assert error_of(lambda name=name: world.readlink(b"/proc/1/" + name, stranger)) == EACCES
    assert error_of(lambda: world.list(b"/proc/1/fd", stranger)) == EACCES


def test_limits_have_the_form_of_the_host(world: World) -> None:
    mine, theirs = world.read(b"/proc/self/limits"), host("limits")
    assert [line[:25] for line in mine.splitlines()] == [line[:25] for line in theirs.splitlines()]
    assert {len(line) for line in mine.splitlines()} == {len(line) for line in theirs.splitlines()}


def test_maps_never_name_a_file_of_the_host(world: World) -> None:
    lines = world.read(b"/proc/self/maps").splitlines()
    assert len(lines) > 10
    shape = re.compile(rb"[0-9a-f]+-[0-9a-f]+ [r-][w-][x-][ps] [0-9a-f]{8,} [0-9a-f]{2}:[0-9a-f]{2} \d+ *(\[.*\])?")
    for line in lines:
        assert shape.fullmatch(line), line


def test_maps_name_what_was_lent(world: World) -> None:
    library = next(line.split()[5] for line in host("maps").splitlines() if b"libc.so" in line)
    fd = os.open(library, os.O_RDONLY)
    file = world.open(b"/tmp/guest.so", 0o102)
    world.kernel.mounts.mapped.note(fd, file, world.init.fs.root)
    os.close(fd)
    named = [line for line in world.read(b"/proc/self/maps").splitlines() if b"guest.so" in line]
    assert named
    assert all(line[73:] == b"/tmp/guest.so" for line in named)
    assert b" %d " % file.inode.attr.ino in named[0]


def test_fd_links_and_reopening(world: World) -> None:
    fds = world.init.fds
    fds.install(world.open(b"/tmp/file", 0o101))
    fds.install(world.open(b"/dev/null"), cloexec=True)
    assert world.list(b"/proc/self/fd") == [b"0", b"1"]
    assert world.readlink(b"/proc/self/fd/0") == b"/tmp/file"
    assert world.readlink(b"/proc/self/fd/1") == b"/dev/null"
    again = world.open(b"/proc/self/fd/1")
    assert again.inode is fds.get(1).inode
    info = world.read(b"/proc/self/fdinfo/1")
    assert info.startswith(b"pos:\t0\nflags:\t02100000\nmnt_id:\t")
    assert error_of(lambda: world.open(b"/proc/self/fd/2")) == ENOENT
    assert error_of(lambda: world.open(b"/proc/self/fd/01")) == ENOENT


def test_a_deleted_file_can_be_opened_again(world: World) -> None:
    file = world.open(b"/tmp/gone", 0o102)
    world.init.fds.install(file)
    world.run(namespace.unlink_at(world.init, AT_FDCWD, b"/tmp/gone", is_rmdir=False))
    assert world.readlink(b"/proc/self/fd/0") == b"/tmp/gone (deleted)"
    assert world.open(b"/proc/self/fd/0").inode is file.inode


def test_zombie_and_reaped(world: World) -> None:
    child = world.spawn(3, world.init)
    held = world.open(b"/proc/3/status")
    world.end(child, reaped=False)
    assert world.read(b"/proc/3/stat").startswith(b"3 (task3) Z 1 ")
    assert world.read(b"/proc/3/cmdline") == world.read(b"/proc/3/maps") == b""
    assert b"VmSize" not in world.read(b"/proc/3/status")
    assert error_of(lambda: world.readlink(b"/proc/3/exe")) == ENOENT
    del world.kernel.tasks.groups[3]
    assert error_of(lambda: world.read(b"/proc/3/stat")) == ENOENT
    assert error_of(lambda: held.try_read(BytesSink(10), 0)) == ESRCH
    assert b"3" not in world.list(b"/proc")


def test_comm_is_written_by_its_own_process_only(world: World) -> None:
    child = world.spawn(4, world.init)
    assert world.write(b"/proc/self/comm", b"0123456789abcdefgh\n", child) == 19
    assert child.name == b"0123456789abcde"
    assert error_of(lambda: world.write(b"/proc/4/comm", b"x")) == EINVAL


@pytest.mark.parametrize("name", [b"uid_map", b"gid_map", b"projid_map", b"loginuid"])
def test_what_is_set_once_cannot_be_set_again(world: World, name: bytes) -> None:
    with pytest.raises(SyscallError) as caught:
        world.write(b"/proc/self/" + name, b"0 0 1")
    assert caught.value.errno == EPERM


def test_oom_score_adj(world: World) -> None:
    child = world.spawn(4, world.init, uid=1000)
    world.write(b"/proc/4/oom_score_adj", b"500\n", child)
    assert world.read(b"/proc/4/oom_score_adj") == b"500\n"
    assert error_of(lambda: world.write(b"/proc/4/oom_score_adj", b"-1\n", child)) == EACCES
    assert error_of(lambda: world.write(b"/proc/4/oom_score_adj", b"1001\n")) == EINVAL
    assert error_of(lambda: world.write(b"/proc/4/oom_score_adj", b"many\n")) == EINVAL


def test_owner_follows_credentials_and_dumpability(world: World) -> None:
    child = world.spawn(4, world.init, uid=1000)

    def owner(path: bytes) -> int:
        return world.run(namespace.stat_path(world.init, AT_FDCWD, path, 0)).uid

    assert owner(b"/proc/4/status") == owner(b"/proc/4") == 1000
    child.group.is_dumpable = False
    assert (owner(b"/proc/4/status"), owner(b"/proc/4")) == (0, 1000)


def test_inode_numbers_are_stable_and_differ(world: World) -> None:
    def ino(path: bytes) -> int:
        return world.run(namespace.stat_path(world.init, AT_FDCWD, path, 0)).ino

    paths = [b"/proc", b"/proc/1", b"/proc/1/stat", b"/proc/1/status", b"/proc/1/fd", b"/proc/1/task/1/stat", b"/proc/meminfo"]
    numbers = [ino(path) for path in paths]
    assert len(set(numbers)) == len(paths)
    assert [ino(path) for path in paths] == numbers


def test_mounts_are_escaped_and_relative_to_the_root(world: World) -> None:
    text = world.read(b"/proc/self/mountinfo")
    rows = [line.split() for line in text.splitlines()]
    assert [row[4] for row in rows] == [b"/", b"/proc", b"/sys", b"/sys/fs/cgroup", b"/dev", b"/dev/pts"]
    assert all(row.index(b"-") == 6 and len(row) == 10 for row in rows)
    assert b"devpts /dev/pts devpts rw,gid=5,mode=620,ptmxmode=666 0 0\n" in world.read(b"/proc/mounts")
