"""Multicast groups on the loopback device (ip(7), ipv6(7)). Linux: net/ipv4/igmp.c, net/ipv6/mcast.c."""

from typing import TYPE_CHECKING, Final

from sentry.kernel.net_devices import LOOPBACK_INDEX
from sentry.socket.inet.address import MAPPED, is_loopback
from syscalls.abi import socket as abi
from syscalls.abi.errno import EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENOBUFS, ENODEV
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.socket.inet.datagram import DatagramSocket

GROUPS_MAX: Final = 20  # net.ipv4.igmp_max_memberships
_MREQ, _MREQN, _MREQ6, _IN_ADDR = 8, 12, 20, 4
_OPTIONS: Final = frozenset((
    (abi.IPPROTO_IP, abi.IP_ADD_MEMBERSHIP), (abi.IPPROTO_IP, abi.IP_DROP_MEMBERSHIP), (abi.IPPROTO_IP, abi.IP_MULTICAST_IF),
    (abi.IPPROTO_IPV6, abi.IPV6_JOIN_GROUP), (abi.IPPROTO_IPV6, abi.IPV6_LEAVE_GROUP), (abi.IPPROTO_IPV6, abi.IPV6_MULTICAST_IF),
))  # fmt: skip


def is_group(address: bytes) -> bool:
    """224.0.0.0/4 and ff00::/8."""
    return address[0] == 0xFF or (address.startswith(MAPPED) and address[12] & 0xF0 == 0xE0)


def is_option(level: int, name: int) -> bool:
    """Whether ``set_option`` knows it."""
    return (level, name) in _OPTIONS


def set_option(socket: "DatagramSocket", level: int, name: int, value: bytes) -> None:
    """Join, leave, choose the device. Errors: EINVAL, ENODEV, EADDRINUSE, EADDRNOTAVAIL, ENOBUFS."""
    if name == abi.IP_MULTICAST_IF and level == abi.IPPROTO_IP:
        _choose4(socket, value)
    elif name == abi.IPV6_MULTICAST_IF and level == abi.IPPROTO_IPV6:
        _choose6(socket, value)
    elif level == abi.IPPROTO_IP:
        if len(value) < _MREQ:
            raise SyscallError(EINVAL)
        group, address = MAPPED + value[:4], value[4:8]
        index = int.from_bytes(value[8:12], "little") if len(value) >= _MREQN else 0
        _check_group(group)
        _find(index, address)
        _change(socket, group, is_join=name == abi.IP_ADD_MEMBERSHIP)
    else:
        if len(value) < _MREQ6:
            raise SyscallError(EINVAL)
        _check_group(value[:16])
        _find(int.from_bytes(value[16:20], "little"), b"")
        _change(socket, value[:16], is_join=name == abi.IPV6_JOIN_GROUP)


def _check_group(group: bytes) -> None:
    if not is_group(group):
        raise SyscallError(EINVAL)


def _find(index: int, address: bytes) -> None:
    """The device by number or address; without either the route decides, and none leads to a group. Errors: ENODEV."""
    if index != LOOPBACK_INDEX and not (not index and address and is_loopback(MAPPED + address)):
        raise SyscallError(ENODEV)


def _change(socket: "DatagramSocket", group: bytes, *, is_join: bool) -> None:
    groups = socket.groups
    if is_join:
        if group in groups:
            raise SyscallError(EADDRINUSE)
        if len(groups) >= GROUPS_MAX:
            raise SyscallError(ENOBUFS)
        groups.add(group)
        members = socket.kernel.net.multicast
        members[group] = members.get(group, 0) + 1
    elif group not in groups:
        raise SyscallError(EADDRNOTAVAIL)
    else:
        groups.remove(group)
        _leave(socket, group)


def _leave(socket: "DatagramSocket", group: bytes) -> None:
    members = socket.kernel.net.multicast
    members[group] -= 1
    if not members[group]:
        del members[group]


def leave_all(socket: "DatagramSocket") -> None:
    """The socket is closed."""
    for group in socket.groups:
        _leave(socket, group)
    socket.groups.clear()


def _choose4(socket: "DatagramSocket", value: bytes) -> None:
    if len(value) < _IN_ADDR:
        raise SyscallError(EINVAL)
    address = value[4:8] if len(value) >= _MREQ else value[:4]
    index = int.from_bytes(value[8:12], "little") if len(value) >= _MREQN else 0
    if not index and not any(address):
        socket.multicast_device = 0
        return
    if index != LOOPBACK_INDEX and (index or not is_loopback(MAPPED + address)):
        raise SyscallError(EADDRNOTAVAIL)
    socket.multicast_device = LOOPBACK_INDEX


def _choose6(socket: "DatagramSocket", value: bytes) -> None:
    if len(value) < _IN_ADDR:
        raise SyscallError(EINVAL)
    index = int.from_bytes(value[:4], "little")
    if index not in (0, LOOPBACK_INDEX):
        raise SyscallError(ENODEV)
    socket.multicast_device = index


def is_member(socket: "DatagramSocket", group: bytes) -> bool:
    """Whether what is sent to ``group`` is for this socket: a member, or one that takes all that the device takes."""
    if group in socket.groups:
        return True
    level, name = (
        (abi.IPPROTO_IP, abi.IP_MULTICAST_ALL) if group.startswith(MAPPED) else (abi.IPPROTO_IPV6, abi.IPV6_MULTICAST_ALL)
    )
    return bool(socket.values.get((level, name), 1)) and group in socket.kernel.net.multicast
