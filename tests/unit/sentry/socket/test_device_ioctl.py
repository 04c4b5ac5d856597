"""netdevice(7): what every socket tells of the network devices, and that none of them lets a guest change one."""

import struct
from types import SimpleNamespace
from typing import Any

import pytest

from sentry.kernel.net_devices import DeviceAddress, NetDevice
from sentry.socket import device_ioctl
from syscalls.abi import ioctl as abi
from syscalls.abi.capability import CAP_NET_ADMIN
from syscalls.abi.errno import EADDRNOTAVAIL, EFAULT, ENODEV, ENOTTY, EOPNOTSUPP, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import AF_INET, AF_INET6
from tests.unit.guest_world import Guest, World

SIOCSIFFLAGS, SIOCADDRT, SIOCRTMSG, SIOCDARP = 0x8914, 0x890B, 0x890D, 0x8953
MAC = bytes.fromhex("02aabbccddee")


@pytest.fixture
def guest() -> Guest:
    world = World()
    device = NetDevice(7, b"eth0", 1, 0x11043, 1400, MAC, 500)
    device.addresses = [
        DeviceAddress(AF_INET6, bytes(16), 64, 0),
        DeviceAddress(AF_INET, bytes((10, 1, 2, 3)), 20, 0),
        DeviceAddress(AF_INET, bytes((10, 9, 9, 9)), 8, 0),
    ]
    world.kernel.net.devices.add(device)
    bare = NetDevice(8, b"tun0", 1, 0, 1400, b"")
    bare.addresses = [DeviceAddress(AF_INET6, bytes(16), 64, 0)]
    world.kernel.net.devices.add(bare)
    return world.guest()


def ask(guest: Guest, request: int, name: bytes = b"eth0", union: bytes = b"") -> bytes | int:
    """The 24 bytes of struct ifreq's union, or -errno."""
    addr = guest.alloc(name.ljust(16, b"\0") + union.ljust(24, b"\xee"))
    try:
        assert device_ioctl.run(guest.task, AF_INET, request, addr) == 0
    except SyscallError as error:
        return -error.errno
    assert request == abi.SIOCGIFNAME or guest.peek(addr, 16) == name.ljust(16, b"\0")
    return guest.peek(addr, 40) if request == abi.SIOCGIFNAME else guest.peek(addr + 16, 24)


def start_of(answer: bytes | int, length: int) -> bytes:
    """``length`` bytes; the rest is as it was."""
    assert isinstance(answer, bytes)
    assert answer[length:] == b"\xee" * (24 - length)
    return answer[:length]


def inet(*octets: int) -> bytes:
    return struct.pack("<H", AF_INET) + bytes(2) + bytes(octets) + bytes(8)


def test_what_is_told_of_a_device(guest: Guest) -> None:
    assert start_of(ask(guest, abi.SIOCGIFINDEX), 4) == struct.pack("<i", 7)
    assert start_of(ask(guest, abi.SIOCGIFMTU), 4) == struct.pack("<i", 1400)
    assert start_of(ask(guest, abi.SIOCGIFMETRIC), 4) == bytes(4)
    assert start_of(ask(guest, abi.SIOCGIFTXQLEN), 4) == struct.pack("<i", 500)
    assert start_of(ask(guest, abi.SIOCGIFFLAGS), 2) == struct.pack("<H", 0x1043)  # a short: IFF_LOWER_UP is beyond it
    assert start_of(ask(guest, abi.SIOCGIFHWADDR), 16) == struct.pack("<H", 1) + MAC + bytes(8)
    assert start_of(ask(guest, abi.SIOCGIFADDR), 16) == inet(10, 1, 2, 3)
    assert start_of(ask(guest, abi.SIOCGIFDSTADDR), 16) == inet(10, 1, 2, 3)
    assert start_of(ask(guest, abi.SIOCGIFNETMASK), 16) == inet(255, 255, 240, 0)
    assert start_of(ask(guest, abi.SIOCGIFBRDADDR), 16) == inet(10, 1, 15, 255)
    assert start_of(ask(guest, abi.SIOCGIFBRDADDR, b"lo"), 16) == inet(0, 0, 0, 0)
    assert start_of(ask(guest, abi.SIOCGIFMAP), 24) == bytes(24)


def test_an_alias_is_its_device(guest: Guest) -> None:
    assert ask(guest, abi.SIOCGIFINDEX, b"eth0:1") == ask(guest, abi.SIOCGIFINDEX)


@pytest.mark.parametrize("request_", [abi.SIOCGIFADDR, abi.SIOCGIFDSTADDR, abi.SIOCGIFNETMASK])
def test_a_device_without_an_ipv4_address_has_none_to_tell(guest: Guest, request_: int) -> None:
    assert ask(guest, request_, b"tun0") == -EADDRNOTAVAIL


@pytest.mark.parametrize("name", [b"eth1", b"", b"eth", b"eth00"])
def test_there_is_no_such_device(guest: Guest, name: bytes) -> None:
    assert ask(guest, abi.SIOCGIFFLAGS, name) == -ENODEV


def test_the_name_of_an_index(guest: Guest) -> None:
    answer = ask(guest, abi.SIOCGIFNAME, b"\xee" * 16, struct.pack("<i", 7))
    assert isinstance(answer, bytes)
    assert answer[:20] == b"eth0".ljust(16, b"\0") + struct.pack("<i", 7)
    for index in (0, 6, 9, -7):
        assert ask(guest, abi.SIOCGIFNAME, b"", struct.pack("<i", index)) == -ENODEV


def test_a_guest_changes_nothing(guest: Guest) -> None:
    for request in (SIOCSIFFLAGS, SIOCADDRT, SIOCRTMSG):
        assert ask(guest, request) == -EOPNOTSUPP
    creds: Any = SimpleNamespace(has=lambda capability: capability != CAP_NET_ADMIN)
    guest.task.credentials = creds
    for request in (SIOCSIFFLAGS, SIOCADDRT, SIOCRTMSG):
        assert ask(guest, request) == -EPERM


def test_other_requests_are_not_for_devices(guest: Guest) -> None:
    assert ask(guest, 0x890E) == -ENOTTY
    assert ask(guest, 0x1234) == -ENOTTY


def listed(guest: Guest, length: int, *, buffer: bool = True) -> tuple[int, bytes]:
    pointer = guest.alloc(b"\xee" * 256) if buffer else 0
    addr = guest.alloc(struct.pack("<i4xQ", length, pointer))
    assert device_ioctl.run(guest.task, AF_INET, abi.SIOCGIFCONF, addr) == 0
    done, _, same = struct.unpack("<iIQ", guest.peek(addr, 16))
    assert same == pointer
    return done, guest.peek(pointer, 256).rstrip(b"\xee") if buffer else b""


def test_the_list_has_each_ipv4_address_with_its_device(guest: Guest) -> None:
    rows = [
        (name.ljust(16, b"\0") + inet(*octets)).ljust(40, b"\0")
        for name, octets in ((b"lo", (127, 0, 0, 1)), (b"eth0", (10, 1, 2, 3)), (b"eth0", (10, 9, 9, 9)))
    ]
    assert listed(guest, 256) == (120, b"".join(rows))
    assert listed(guest, 120) == (120, b"".join(rows))
    assert listed(guest, 119) == (80, b"".join(rows[:2]))  # whole entries only
    assert listed(guest, 39) == (0, b"")
    assert listed(guest, 0, buffer=False) == (120, b"")  # how much room is needed


def test_a_list_of_negative_length_faults(guest: Guest) -> None:
    addr = guest.alloc(struct.pack("<i4xQ", -1, guest.alloc(64)))
    with pytest.raises(SyscallError) as caught:
        device_ioctl.run(guest.task, AF_INET, abi.SIOCGIFCONF, addr)
    assert caught.value.errno == EFAULT


def test_addresses_are_told_to_sockets_of_ipv4_only(guest: Guest) -> None:
    for request in (abi.SIOCGIFADDR, abi.SIOCGIFNETMASK, abi.SIOCGIFDSTADDR):
        with pytest.raises(SyscallError) as caught:
            device_ioctl.run(guest.task, AF_INET6, request, guest.alloc(b"eth0".ljust(40, b"\0")))
        assert caught.value.errno == ENOTTY
