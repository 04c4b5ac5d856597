"""socket(2) for AF_INET and AF_INET6."""

from typing import TYPE_CHECKING

from sentry.socket.inet.base import InetSocket
from sentry.socket.inet.ports import PortTable
from sentry.socket.inet.tcp import TcpSocket
from sentry.socket.inet.udp import UdpSocket
from sentry.socket.socket import SocketInode
from syscalls.abi.capability import CAP_NET_RAW
from syscalls.abi.errno import EPERM, EPROTONOSUPPORT, ESOCKTNOSUPPORT
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM

if TYPE_CHECKING:
    from sentry.kernel.task import Task

_PROTOCOLS: dict[int, tuple[int, type[TcpSocket] | type[UdpSocket]]] = {
    SOCK_STREAM: (IPPROTO_TCP, TcpSocket),
    SOCK_DGRAM: (IPPROTO_UDP, UdpSocket),
}


def new_inet_socket(task: "Task", family: int, type: int, protocol: int, flags: int) -> InetSocket:
    """A new socket. Errors: ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM raw without CAP_NET_RAW."""
    if type == SOCK_RAW and protocol and not task.credentials.has(CAP_NET_RAW):
        raise SyscallError(EPERM)
    found = _PROTOCOLS.get(type)
    if found is None:
        raise SyscallError(EPROTONOSUPPORT if type == SOCK_RAW else ESOCKTNOSUPPORT)
    number, cls = found
    if protocol not in (0, number):
        raise SyscallError(EPROTONOSUPPORT)
    net = task.kernel.net
    if net.tcp_ports is None:
        start = int.from_bytes(task.kernel.random(4), "little")
        net.tcp_ports, net.udp_ports = PortTable(start), PortTable(start >> 8)
    inode = SocketInode(task.kernel, task.credentials.fsuid, task.credentials.fsgid)
    return cls(task.kernel, inode, flags, family, type, number)
