"""uname, sysinfo, the clocks nobody sets."""

import pytest

from sentry.kernel import memory_usage
from syscalls.abi.errno import EFAULT, EINVAL, EOPNOTSUPP, EPERM
from syscalls.abi.sysinfo import SYSINFO
from syscalls.abi.time import ITIMERSPEC, TIMESPEC, TIMEX
from syscalls.abi.utsname import UTSNAME
from tests.unit.syscalls.process_world import BUFFER, World


def test_uname(world: World) -> None:
    assert world.init.call("uname", BUFFER) == 0
    names = [name.rstrip(b"\0") for name in UTSNAME.unpack(world.init.peek(390))]
    assert names[:2] == [b"Linux", b"box"]
    assert names[4] == b"x86_64"
    assert tuple(int(part) for part in names[2].split(b"-")[0].split(b".")[:2]) >= (6, 1)
    assert world.init.call("uname", 8) == -EFAULT


def test_sethostname(world: World) -> None:
    process = world.init
    assert process.call("sethostname", process.poke(b"other"), 5) == 0
    assert world.kernel.namespaces.uts.nodename == b"other"
    assert process.call("sethostname", BUFFER, 65) == -EINVAL
    assert process.call("sethostname", BUFFER, -1) == -EINVAL
    assert process.call("setdomainname", 8, 4) == -EFAULT
    process.become(1000)
    assert process.call("sethostname", BUFFER, 1) == -EPERM


def test_sysinfo_tells_the_sandbox_not_the_host(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_usage, "total_bytes", lambda: 8 << 30)
    monkeypatch.setattr(memory_usage, "free_bytes", lambda: 6 << 30)
    world.kernel.limits.memory_max = 1 << 30
    world.kernel.limits.bytes_used = 1 << 20
    world.init.fork()
    world.pass_time(90 * 10**9)
    assert world.init.call("sysinfo", BUFFER) == 0
    fields = SYSINFO.unpack(world.init.peek(112))
    assert (fields[0], fields[4], fields[5], fields[10], fields[13]) == (90, 1 << 30, (1 << 30) - (1 << 20), 2, 1)
    world.kernel.limits.memory_max = None
    assert memory_usage.usage(world.kernel) == (8 << 30, 6 << 30)


def test_nobody_sets_a_clock(world: World) -> None:
    process = world.init
    assert process.call("clock_settime", 0, process.poke(TIMESPEC.pack(1, 0))) == -EPERM
    assert process.call("clock_settime", 0, process.poke(TIMESPEC.pack(1, 10**9))) == -EINVAL
    assert process.call("clock_settime", 1, BUFFER) == -EINVAL
    assert process.call("clock_settime", 0, 8) == -EFAULT
    assert process.call("settimeofday", process.poke(TIMESPEC.pack(1, 0)), 0) == -EPERM
    assert process.call("settimeofday", process.poke(TIMESPEC.pack(1, 10**6)), 0) == -EINVAL


def test_adjtimex_reads(world: World) -> None:
    process = world.init
    process.poke(bytes(208))
    assert process.call("adjtimex", BUFFER) == 5
    fields = TIMEX.unpack(process.peek(208))
    assert fields[9] == world.kernel.realtime_ns() // 10**9
    assert process.call("clock_adjtime", 1, BUFFER) == -EOPNOTSUPP
    process.poke((1).to_bytes(4, "little"))
    assert process.call("adjtimex", BUFFER) == -EPERM
    assert ITIMERSPEC.size == 32
