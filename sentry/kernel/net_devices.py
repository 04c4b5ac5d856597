"""The network devices of a namespace and their addresses, as netdevice(7) and rtnetlink(7) tell of them.

A sandbox has the loopback device, up from the start, and what ``sentry/boot/network.py`` has attached.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from syscalls.abi.netlink import ARPHRD_LOOPBACK, IFF_LOOPBACK, IFF_LOWER_UP, IFF_RUNNING, IFF_UP, RT_SCOPE_HOST
from syscalls.abi.socket import AF_INET, AF_INET6

LOOPBACK_INDEX: Final = 1
_ADDRESS_BITS: Final = 8


@dataclass(frozen=True, slots=True)
class DeviceAddress:
    """An address (4 or 16 bytes) of a device with its prefix length and RT_SCOPE_*."""

    family: int
    address: bytes
    prefix: int
    scope: int

    @property
    def netmask(self) -> bytes:
        """The prefix as a mask."""
        bits = len(self.address) * _ADDRESS_BITS
        return ((1 << bits) - (1 << (bits - self.prefix))).to_bytes(len(self.address), "big")


@dataclass(slots=True)
class NetDevice:
    """``flags`` are IFF_*; ``type`` is ARPHRD_*."""

    index: int
    name: bytes
    type: int
    flags: int
    mtu: int
    hardware: bytes
    queue_length: int = 1000
    addresses: list[DeviceAddress] = field(default_factory=list)
    received: list[int] = field(default_factory=lambda: [0, 0])  # packets, bytes: the stack's own counters
    sent: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def is_loopback(self) -> bool:
        """Whether it is lo."""
        return bool(self.flags & IFF_LOOPBACK)


@dataclass(frozen=True, slots=True)
class DeviceRoute:
    """A route of the main table: ``destination``/``prefix`` through the device ``index``, by ``gateway`` unless that is empty.

    ``source`` is that of an address's own network, else empty.
    """

    destination: bytes
    prefix: int
    index: int
    gateway: bytes
    source: bytes
    metric: int

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
        return AF_INET if len(self.destination) == 4 else AF_INET6


def make_loopback() -> NetDevice:
    """lo, with 127.0.0.1/8 and ::1."""
    flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_LOWER_UP
    device = NetDevice(LOOPBACK_INDEX, b"lo", ARPHRD_LOOPBACK, flags, 65_536, bytes(6))
    device.addresses = [
        DeviceAddress(AF_INET, bytes((127, 0, 0, 1)), 8, RT_SCOPE_HOST),
        DeviceAddress(AF_INET6, bytes(15) + b"\x01", 128, RT_SCOPE_HOST),
    ]
    return device


class DeviceNeighbour(NamedTuple):
    """The Ethernet address of an IP address on a device's wire; ``state`` is one of NUD_* (rtnetlink(7))."""

    device: int
    address: bytes
    mac: bytes
    state: int


class NetDevices:
    """All devices, by index; ``routes`` is the main table (the local one follows from the addresses).

    ``neighbours`` tells which are known on the wires now.
    """

    __slots__ = ("_by_index", "neighbours", "routes")

    def __init__(self) -> None:
        self._by_index = {LOOPBACK_INDEX: make_loopback()}
        self.routes: list[DeviceRoute] = []
        self.neighbours: Callable[[], list[DeviceNeighbour]] = list

    def add(self, device: NetDevice) -> None:
        """Show one more device."""
        self._by_index[device.index] = device

    def all(self) -> list[NetDevice]:
        """In order of their indexes."""
        return list(self._by_index.values())

    def by_index(self, index: int) -> NetDevice | None:
        """The device with a number."""
        return self._by_index.get(index)

    def by_name(self, name: bytes) -> NetDevice | None:
        """The device with a name."""
        return next((device for device in self._by_index.values() if device.name == name), None)
