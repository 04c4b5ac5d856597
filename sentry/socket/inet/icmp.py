"""ICMP and ICMPv6 echo (RFC 792, RFC 4443): ping sockets (icmp(7)), and who hears what on raw sockets.

Linux: net/ipv4/ping.c, net/ipv4/icmp.c, icmp_echo().
"""

from struct import unpack
from typing import TYPE_CHECKING, Final

from sentry.socket.inet import control
from sentry.socket.inet.address import Endpoint
from sentry.socket.inet.base import SEND_SHUTDOWN
from sentry.socket.inet.control import Datagram
from sentry.socket.inet.datagram import DatagramSocket
from sentry.socket.socket import Envelope
from syscalls.abi.errno import EINVAL, EMSGSIZE, EPIPE
from syscalls.abi.errors import SyscallError
from syscalls.abi.socket import AF_INET, IPPROTO_ICMP, IPPROTO_ICMPV6, SO_REUSEADDR

if TYPE_CHECKING:
    from sentry.kernel.net_namespace import NetNamespace
    from sentry.socket.inet.ports import PortTable
    from sentry.vfs.io import Source

HEADER_SIZE: Final = 8
#: (echo request, echo reply)
_ECHO4: Final = (8, 0)
_ECHO6: Final = (128, 129)
_MESSAGE_MAX: Final = 65_515


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) & 1:
        data += b"\0"
    total: int = sum(unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def seal(message: bytes, source: Endpoint, destination: Endpoint) -> bytes:
    """``message`` with its checksum; that of ICMPv6 covers a pseudo-header (RFC 8200, section 8.1)."""
    message = message[:2] + bytes(2) + message[4:]
    pseudo = b""
    if not destination.is_v4:
        pseudo = source.address + destination.address + len(message).to_bytes(4, "big") + bytes((0, 0, 0, IPPROTO_ICMPV6))
    return message[:2] + checksum(pseudo + message).to_bytes(2, "big") + message[4:]


def reply_to(request: Datagram) -> Datagram | None:
    """The answer of this host to an ICMP message: an echo reply, or nothing."""
    is_v4 = request.destination.is_v4
    ask, answer = _ECHO4 if is_v4 else _ECHO6
    data = request.data
    if len(data) < HEADER_SIZE or data[0] != ask or data[1]:
        return None
    source, destination = Endpoint(request.destination.address, 0), Endpoint(request.source.address, 0)
    return Datagram(seal(bytes((answer,)) + data[1:], source, destination), source, destination, tos=request.tos)


def hear(net: "NetNamespace", message: Datagram) -> None:
    """Hand an ICMP message that has arrived to the ping sockets, if it is an echo reply of theirs."""
    is_v4 = message.destination.is_v4
    if net.ping_ports is None or message.data[0] != (_ECHO4 if is_v4 else _ECHO6)[1]:
        return
    ident = int.from_bytes(message.data[4:6], "big")
    for other in net.ping_ports.on(ident):
        if isinstance(other, PingSocket) and (other.family == AF_INET) == is_v4 and other.accepts(message.destination):
            other.deliver(message)
            return


class PingSocket(DatagramSocket):
    """SOCK_DGRAM with IPPROTO_ICMP or IPPROTO_ICMPV6: echo requests out, their replies in. The port is the identifier."""

    __slots__ = ()

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.flags_set.add(SO_REUSEADDR)  # Linux: INET_PROTOSW_REUSE

    @property
    def ports(self) -> "PortTable":
        """The identifiers."""
        table: PortTable = self.kernel.net.ping_ports
        return table

    def is_privileged_port(self, port: int) -> bool:
        """An identifier is no service."""
        return False

    def choose_source(self, source: bytes) -> None:
        """Set the local address of a connection, with an identifier if there is none yet."""
        if not self.local.port:
            self.take_port(Endpoint(source, 0))
        else:
            self.local = Endpoint(source, self.local.port)

    def try_send(self, source: "Source", envelope: Envelope) -> int | None:
        """Send one echo request; its identifier and checksum are filled in. Errors: EINVAL another message, EMSGSIZE, EPIPE."""
        from sentry.socket.inet.raw import transmit

        if self.error:
            raise SyscallError(self.take_error())
        if self.shut & SEND_SHUTDOWN:
            raise SyscallError(EPIPE)
        if source.remaining > _MESSAGE_MAX:
            raise SyscallError(EMSGSIZE)
        if source.remaining < HEADER_SIZE:
            raise SyscallError(EINVAL)
        destination = self.destination_of(envelope)
        header = control.read_header(self, envelope)
        data = b"".join(iter(lambda: source.take(source.remaining) if source.remaining else b"", b""))
        if data[0] != (_ECHO4 if self.family == AF_INET else _ECHO6)[0] or data[1]:
            raise SyscallError(EINVAL)
        if not self.local.port:
            self.take_port(self.local)
        origin = Endpoint(header.source or self.source_for(destination), 0)
        to = Endpoint(destination.address, 0)
        message = seal(data[:4] + self.local.port.to_bytes(2, "big") + data[6:], origin, to)
        protocol = IPPROTO_ICMP if self.family == AF_INET else IPPROTO_ICMPV6
        request = self.make(message, origin, to, header)
        if self.is_here(to):
            transmit(self.kernel.net, protocol, request)
        else:
            self.kernel.net.outside.send(self, protocol, message, origin, to, request.ttl, request.tos)
        return len(data)

    def close(self) -> None:
        """Give the identifier and the memory back."""
        super().close()
        if self.local.port:
            self.ports.drop(self, self.local.port)
