"""The top of /proc and /sys: true for the sandbox, parseable, in the form of the host's."""

import os
import re

import pytest

from sentry.mm.usermem import BytesSource
from syscalls.abi.errno import EINVAL, EIO, EPERM
from syscalls.abi.errors import SyscallError
from tests.unit.sentry.fs.synthetic_world import World


@pytest.fixture
def world() -> World:
    return World()


def test_meminfo_is_the_limit_and_has_the_hosts_lines(world: World) -> None:
    mine = re.findall(rb"^([\w()]+): +(\d+)( kB)?$", world.read(b"/proc/meminfo"), re.M)
    with open("/proc/meminfo", "rb") as file:
        theirs = [line.split(b":")[0] for line in file]
    assert dict((name, value) for name, value, _ in mine)[b"MemTotal"] == b"%d" % (256 << 10)
    names = [name for name, _, _ in mine]
    common = [name for name in theirs if name in names]
    assert len(common) > 30
    assert [name for name in names if name in common] == common


def test_processors_agree_everywhere(world: World) -> None:
    numbers = sorted(os.sched_getaffinity(0))
    assert [int(number) for number in re.findall(rb"^processor\t: (\d+)$", world.read(b"/proc/cpuinfo"), re.M)] == numbers
    assert len(re.findall(rb"^cpu\d+ ", world.read(b"/proc/stat"), re.M)) == len(numbers)
    assert set(world.list(b"/sys/devices/system/cpu")) >= {b"cpu%d" % number for number in numbers}


def test_times_begin_with_the_container(world: World) -> None:
    world.now_ns += 12_340_000_000
    assert world.read(b"/proc/uptime").startswith(b"12.34 ")
    btime = int(re.search(rb"btime (\d+)", world.read(b"/proc/stat"))[1])
    assert btime == 1_700_000_005


def test_every_file_can_be_read(world: World) -> None:
    def walk(path: bytes) -> int:
        count = 0
        for name in world.list(path):
            child = path + b"/" + name
            try:
                text = world.read(child)
            except SyscallError:
                continue
            assert isinstance(text, bytes)
            count += 1
        return count

    assert walk(b"/proc") > 12
    assert walk(b"/proc/1") > 25
    assert walk(b"/proc/sys/kernel") > 25
    assert walk(b"/sys/fs/cgroup") > 15


def test_hostname_is_written_with_privilege(world: World) -> None:
    world.write(b"/proc/sys/kernel/hostname", b"renamed\n")
    assert world.kernel.namespaces.uts.nodename == b"renamed"
    child = world.spawn(2, world.init, uid=1000)
    file = world.open(b"/proc/sys/kernel/hostname", 1)
    file.opener = child
    with pytest.raises(SyscallError) as caught:
        file.try_write(BytesSource(b"evil"), 0)
    assert caught.value.errno == EPERM
    with pytest.raises(SyscallError) as caught:
        world.write(b"/proc/sys/kernel/hostname", b"x" * 65)
    assert caught.value.errno == EINVAL


def test_read_only_files_take_nothing(world: World) -> None:
    with pytest.raises(SyscallError) as caught:
        world.write(b"/proc/version", b"x")
    assert caught.value.errno == EIO


def test_boot_id_stays_and_uuid_changes(world: World) -> None:
    boot = b"/proc/sys/kernel/random/boot_id"
    assert world.read(boot) == world.read(boot)
    assert world.read(b"/proc/sys/kernel/random/uuid") != world.read(b"/proc/sys/kernel/random/uuid")


def test_cgroup_shows_the_limits(world: World) -> None:
    assert world.read(b"/sys/fs/cgroup/memory.max") == b"%d\n" % (256 << 20)
    assert World(memory_max=None).read(b"/sys/fs/cgroup/memory.max") == b"max\n"
    assert world.read(b"/sys/fs/cgroup/pids.current") == b"1\n"


@pytest.mark.parametrize(("numbers", "text"), [([0], b"0"), ([0, 1, 2], b"0-2"), ([0, 2, 3, 7], b"0,2-3,7"), ([], b"")])
def test_ranges(numbers: list[int], text: bytes) -> None:
    from sentry.fs.sys.cpu import ranges

    assert ranges(numbers) == text


@pytest.mark.parametrize(("numbers", "text"), [([0, 1], b"3"), ([32], b"1,00000000"), ([4, 33], b"2,00000010")])
def test_masks(numbers: list[int], text: bytes) -> None:
    from sentry.fs.sys.cpu import mask

    assert mask(numbers) == text
