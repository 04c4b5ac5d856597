"""socket(2) for AF_INET and AF_INET6."""

from typing import TYPE_CHECKING

from sentry.socket.inet.base import InetSocket
from sentry.socket.inet.icmp import PingSocket
from sentry.socket.inet.ports import PortTable
from sentry.socket.inet.raw import RawSocket
from sentry.socket.inet.tcp import TcpSocket
from sentry.socket.inet.udp import UdpSocket
from sentry.socket.socket import SocketInode
from syscalls.abi.capability import CAP_NET_RAW
from syscalls.abi.errno import EINVAL, EPERM, EPROTONOSUPPORT, ESOCKTNOSUPPORT
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import (
    AF_INET,
    AF_INET6,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
)

if TYPE_CHECKING:
    from sentry.kernel.task import Task

_TYPES: dict[int, tuple[tuple[int, type[InetSocket]], ...]] = {
    SOCK_STREAM: ((IPPROTO_TCP, TcpSocket),),
    SOCK_DGRAM: ((IPPROTO_UDP, UdpSocket), (IPPROTO_ICMP, PingSocket), (IPPROTO_ICMPV6, PingSocket)),
}
_PROTOCOL_MAX = 256
_OTHER_ICMP = {AF_INET: IPPROTO_ICMPV6, AF_INET6: IPPROTO_ICMP}


def new_inet_socket(task: "Task", family: int, type: int, protocol: int, flags: int) -> InetSocket:
    """A new socket. Errors: EINVAL, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM raw without CAP_NET_RAW."""
    if not 0 <= protocol < _PROTOCOL_MAX:
        raise SyscallError(EINVAL)
    number, cls = _find(task, family, type, protocol)
    net = task.kernel.net
    if net.tcp_ports is None:
        start = int.from_bytes(task.kernel.random(4), "little")
        net.tcp_ports, net.udp_ports, net.ping_ports = PortTable(start), PortTable(start >> 8), PortTable(start >> 16)
    inode = SocketInode(task.kernel, task.credentials.fsuid, task.credentials.fsgid)
    return cls(task.kernel, inode, flags, family, type, number)


def _find(task: "Task", family: int, kind: int, protocol: int) -> tuple[int, type[InetSocket]]:
    if kind == SOCK_RAW:
        if not protocol:
            raise SyscallError(EPROTONOSUPPORT)
        if not task.credentials.has(CAP_NET_RAW):
            raise SyscallError(EPERM)
        return protocol, RawSocket
    kinds = _TYPES.get(kind)
    if kinds is None:
        raise SyscallError(ESOCKTNOSUPPORT)
    if not protocol:
        return kinds[0]
    for number, cls in kinds:
        if number == protocol and protocol != _OTHER_ICMP[family]:
            return number, cls
    raise SyscallError(EPROTONOSUPPORT)
