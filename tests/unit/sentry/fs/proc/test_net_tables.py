"""/proc/net (proc_pid_net(5)): the tables of devices and routes, column by column as Linux writes them."""

import pytest

from sentry.fs.proc.net import tables
from sentry.kernel.net_devices import DeviceAddress, DeviceRoute, NetDevice
from syscalls.abi.netlink import RT_SCOPE_HOST
from syscalls.abi.socket import AF_INET, AF_INET6
from tests.unit.guest_world import World

NONE6 = b"0" * 32
LOOP6 = b"0" * 31 + b"1"
FD01 = bytes.fromhex("fd000000000000000000000000000001")


@pytest.fixture
def task() -> object:
    world = World()
    devices = world.kernel.net.devices
    device = NetDevice(10, b"eth0", 1, 0x1043, 1500, bytes(6))
    device.addresses = [DeviceAddress(AF_INET, bytes((10, 0, 0, 2)), 24, 0), DeviceAddress(AF_INET6, FD01, 64, 0)]
    device.received, device.sent = [3, 400], [5, 600]
    devices.add(device)
    devices.routes = [
        DeviceRoute(bytes((10, 0, 0, 0)), 24, 10, b"", bytes((10, 0, 0, 2)), 0),
        DeviceRoute(bytes(4), 0, 10, bytes((10, 0, 0, 1)), b"", 100),
        DeviceRoute(bytes((10, 0, 0, 9)), 32, 10, bytes((10, 0, 0, 1)), b"", 0),
        DeviceRoute(bytes(16), 0, 10, FD01, b"", 0),
        DeviceRoute(bytes(4), 0, 77, b"", b"", 0),
    ]
    return world.guest().task


def test_ipv6_addresses(task: object) -> None:
    """Address, index, prefix, scope, flags (permanent), name."""
    assert RT_SCOPE_HOST == 254
    assert tables.if_inet6(task).splitlines() == [  # type: ignore[arg-type]
        LOOP6 + b" 01 80 10 80       lo",
        FD01.hex().encode() + b" 0a 40 00 80     eth0",
    ]


def test_ipv6_routes(task: object) -> None:
    """Destination and source with prefixes, next hop, metric, references, uses, flags, device: the main table, then local ones,
    each with the null entry behind it."""
    null = b" ".join((NONE6, b"00", NONE6, b"00", NONE6, b"ffffffff", b"00000001", b"00000000", b"00200200", b"      lo"))
    lines = tables.ipv6_route(task).splitlines()  # type: ignore[arg-type]
    default = b" ".join((NONE6, b"00", NONE6, b"00", FD01.hex().encode(), b"00000000", b"00000001", b"00000000", b"00000003"))
    assert lines[0] == default + b"     eth0"
    assert lines[1] == lines[-1] == null
    local = [b" ".join((LOOP6, b"80", NONE6, b"00", NONE6, b"00000000", b"00000002", b"00000000", b"80200001", b"      lo"))]
    assert lines[2:3] == local
    assert lines[3].split()[:2] == [FD01.hex().encode(), b"80"]
    assert lines[3].split()[-1] == b"eth0"
    assert len(lines) == 5


def test_ipv4_routes(task: object) -> None:
    """Linux: fib_route_seq_show(); RTF_UP 1, RTF_GATEWAY 2, RTF_HOST 4, addresses as a little-endian processor holds them."""
    header, *rows = tables.route(task).splitlines()  # type: ignore[arg-type]
    assert header.split()[:4] == [b"Iface", b"Destination", b"Gateway", b"Flags"]
    assert {len(row) for row in (header, *rows)} == {127}
    assert [row.split() for row in rows] == [
        [b"eth0", b"0000000A", b"00000000", b"0001", b"0", b"0", b"0", b"00FFFFFF", b"0", b"0", b"0"],
        [b"eth0", b"00000000", b"0100000A", b"0003", b"0", b"0", b"100", b"00000000", b"0", b"0", b"0"],
        [b"eth0", b"0900000A", b"0100000A", b"0007", b"0", b"0", b"0", b"FFFFFFFF", b"0", b"0", b"0"],
    ]


def test_device_counters(task: object) -> None:
    lines = tables.dev(task).splitlines()  # type: ignore[arg-type]
    assert len(lines) == 4
    name, counters = lines[3].split(b":")
    numbers = [int(word) for word in counters.split()]
    assert (name.strip(), numbers[:2], numbers[8:10], len(numbers)) == (b"eth0", [400, 3], [600, 5], 16)


def test_nobody_sees_nothing() -> None:
    assert tables.if_inet6(None) == tables.ipv6_route(None) == b""
    assert len(tables.dev(None).splitlines()) == 2
    assert len(tables.route(None).splitlines()) == 1
