"""ioctl(2) of network devices, which every socket understands (netdevice(7)): reading; changes are refused.

Linux: net/core/dev_ioctl.c, net/ipv4/devinet.c.
"""

from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Final

from syscalls.abi import ioctl as abi
from syscalls.abi.capability import CAP_NET_ADMIN
from syscalls.abi.errno import EADDRNOTAVAIL, EFAULT, ENODEV, ENOTTY, EOPNOTSUPP, EPERM
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import AF_INET, AF_INET6, SOCKADDR_IN

if TYPE_CHECKING:
    from sentry.kernel.net_devices import NetDevice
    from sentry.kernel.task import Task

_NAME_MAX: Final = 16
_IFREQ_SIZE: Final = 40
#: struct ifconf: len and a pointer
_IFCONF: Final = Struct("<i4xQ")
_IFMAP_SIZE: Final = 24
#: IFF_* above 16 bits are not in the short of struct ifreq
_FLAGS_MASK: Final = 0xFFFF
_FAMILY_AND_PORT: Final = 2
# SIOCADDRT to SIOCRTMSG, SIOCSIFNAME to SIOCSIFTXQLEN: changes
_ROUTE_CHANGES: Final = range(0x890B, 0x890E)
_CHANGES: Final = frozenset((
    0x8914, 0x8916, 0x8918, 0x891A, 0x891C, 0x891E, 0x8920, 0x8922, 0x8923, 0x8924, 0x8926, 0x8930, 0x8931, 0x8932, 0x8934,
    0x8936, 0x8937, 0x8943, 0x8971,
))  # fmt: skip
# Linux: inet_ioctl(), inet6_ioctl(); the core answers the others for every socket
_OF_IPV4: Final = frozenset((
    *_ROUTE_CHANGES, 0x8916, 0x8918, 0x891A, 0x891C, abi.SIOCGIFADDR, abi.SIOCGIFDSTADDR, abi.SIOCGIFBRDADDR, abi.SIOCGIFNETMASK,
    abi.SIOCGIFPFLAGS,
))  # fmt: skip
_OF_IPV6: Final = frozenset((0x890B, 0x890C, 0x8916, 0x8918))


def run(task: "Task", family: int, request: int, argument: int) -> int:
    """Answer a request about a device. Errors: ENODEV, EADDRNOTAVAIL, EFAULT, EPERM a change, ENOTTY not such a request, or one
    for sockets of IPv4 (routes: also of IPv6)."""
    if request in _OF_IPV4 and family != AF_INET and not (family == AF_INET6 and request in _OF_IPV6):
        raise SyscallError(ENOTTY)
    if request == abi.SIOCGIFCONF:
        return _list(task, argument)
    if request in _CHANGES or request in _ROUTE_CHANGES:
        raise SyscallError(EOPNOTSUPP if task.credentials.has(CAP_NET_ADMIN) else EPERM)
    if request == abi.SIOCGIFNAME:
        return _name(task, argument)
    if request not in _READS:
        raise SyscallError(ENOTTY)
    data = task.memory.read(argument, _IFREQ_SIZE)
    name = data[:_NAME_MAX].split(b"\0", 1)[0].split(b":", 1)[0]
    device = task.kernel.net.devices.by_name(name)
    if device is None:
        raise SyscallError(ENODEV)
    value = _READS[request](device)
    task.memory.write(argument + _NAME_MAX, value)
    return 0


def _name(task: "Task", argument: int) -> int:
    index = int.from_bytes(task.memory.read(argument + _NAME_MAX, 4), "little", signed=True)
    device = task.kernel.net.devices.by_index(index)
    if device is None:
        raise SyscallError(ENODEV)
    task.memory.write(argument, device.name.ljust(_NAME_MAX, b"\0"))
    return 0


def _list(task: "Task", argument: int) -> int:
    """SIOCGIFCONF: the devices with an IPv4 address, as many as fit; without a buffer the room that they need."""
    length, pointer = task.memory.read_struct(_IFCONF, argument)
    entries = [
        (device.name.ljust(_NAME_MAX, b"\0") + _sockaddr(entry.address)).ljust(_IFREQ_SIZE, b"\0")
        for device in task.kernel.net.devices.all()
        for entry in device.addresses
        if entry.family == AF_INET
    ]
    if pointer:
        data = b"".join(entries[: max(length, 0) // _IFREQ_SIZE])
        if length < 0:
            raise SyscallError(EFAULT)
        task.memory.write(pointer, data)
        done = len(data)
    else:
        done = len(entries) * _IFREQ_SIZE
    task.memory.write_u32(argument, done)
    return 0


def _sockaddr(address: bytes) -> bytes:
    return SOCKADDR_IN.pack(AF_INET, bytes(_FAMILY_AND_PORT), address)


def _address(device: "NetDevice") -> bytes:
    for entry in device.addresses:
        if entry.family == AF_INET:
            return _sockaddr(entry.address)
    raise SyscallError(EADDRNOTAVAIL)


def _netmask(device: "NetDevice") -> bytes:
    for entry in device.addresses:
        if entry.family == AF_INET:
            return _sockaddr(entry.netmask)
    raise SyscallError(EADDRNOTAVAIL)


def _broadcast(device: "NetDevice") -> bytes:
    for entry in device.addresses:
        if entry.family == AF_INET:
            if device.is_loopback:
                break
            last = int.from_bytes(entry.address, "big") | ~int.from_bytes(entry.netmask, "big") & 0xFFFFFFFF
            return _sockaddr(last.to_bytes(4, "big"))
    return _sockaddr(bytes(4))


def _word(value: int) -> bytes:
    return value.to_bytes(4, "little")


_READS: Final[dict[int, Callable[["NetDevice"], bytes]]] = {
    abi.SIOCGIFFLAGS: lambda device: (device.flags & _FLAGS_MASK).to_bytes(2, "little"),
    abi.SIOCGIFADDR: _address,
    abi.SIOCGIFDSTADDR: _address,
    abi.SIOCGIFBRDADDR: _broadcast,
    abi.SIOCGIFNETMASK: _netmask,
    abi.SIOCGIFMETRIC: lambda device: _word(0),
    abi.SIOCGIFMTU: lambda device: _word(device.mtu),
    abi.SIOCGIFHWADDR: lambda device: device.type.to_bytes(2, "little") + device.hardware.ljust(14, b"\0"),
    abi.SIOCGIFINDEX: lambda device: _word(device.index),
    abi.SIOCGIFTXQLEN: lambda device: _word(device.queue_length),
    abi.SIOCGIFMAP: lambda device: bytes(_IFMAP_SIZE),
}
