"""Raw sockets on loopback (raw(7)): messages of one IP protocol, with CAP_NET_RAW.

TCP and UDP of this sandbox hand over buffers, so raw sockets hear only what raw and ping sockets send, and echo replies.
Linux: net/ipv4/raw.c, net/ipv6/raw.c.
"""

from struct import Struct
from typing import TYPE_CHECKING, Final

from sentry.socket.inet import address as addresses
from sentry.socket.inet import control, icmp
from sentry.socket.inet.address import MAPPED, Endpoint
from sentry.socket.inet.base import SEND_SHUTDOWN
from sentry.socket.inet.control import Datagram, Header
from sentry.socket.inet.datagram import DatagramSocket
from sentry.socket.socket import Envelope
from syscalls.abi import socket as abi
from syscalls.abi.errno import EINVAL, EMSGSIZE, ENOPROTOOPT, EPIPE
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.net_namespace import NetNamespace
    from sentry.kernel.task import Task
    from sentry.vfs.io import Source

#: struct iphdr: version and length, tos, total length, id, fragment, ttl, protocol, checksum, source, destination
_HEADER4: Final = Struct(">BBHHHBBH4s4s")
_MESSAGE_MAX: Final = 65_535
_DONT_FRAGMENT: Final = 0x4000
_FILTER: Final = 1  # ICMP_FILTER, ICMPV6_FILTER
_FILTER_SIZES: Final = {abi.IPPROTO_ICMP: 4, abi.IPPROTO_ICMPV6: 32}


def transmit(net: "NetNamespace", protocol: int, message: Datagram) -> None:
    """Put ``message`` on the loopback device: the raw sockets hear it, and this host answers an echo request."""
    pending: list[Datagram] = [message]
    while pending:
        one = pending.pop()
        for other in tuple(net.raw_sockets):
            other.hear(protocol, one)
        if protocol in (abi.IPPROTO_ICMP, abi.IPPROTO_ICMPV6) and one.data:
            icmp.hear(net, one)
            answer = icmp.reply_to(one)
            if answer is not None:
                pending.append(answer)


class RawSocket(DatagramSocket):
    """``filter`` is ICMP_FILTER's or ICMPV6_FILTER's bit mask of message types that are not wanted."""

    __slots__ = ("filter",)

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.filter = 0
        self.flags_set.add(abi.SO_REUSEADDR)  # Linux: INET_PROTOSW_REUSE
        self.kernel.net.raw_sockets.add(self)

    async def bind(self, task: "Task", address: bytes) -> None:
        """Take a local address. Errors: EADDRNOTAVAIL, EINVAL, EAFNOSUPPORT."""
        endpoint = addresses.parse(address, self.family)
        self.check_local(endpoint.address)
        self.local = Endpoint(endpoint.address, 0)

    def hear(self, protocol: int, message: Datagram) -> None:
        """Receive ``message`` if it is of this protocol and to this address."""
        is_v4 = message.destination.is_v4
        if protocol != self.protocol or is_v4 != (self.family == abi.AF_INET) or not self.accepts(message.destination):
            return
        if self.remote is not None and self.remote.address != message.source.address:
            return
        if self.filter and message.data and self.filter >> message.data[0] & 1:
            return
        if is_v4:
            message = message._replace(data=_packet(protocol, message))
        self.deliver(message)

    def try_send(self, source: "Source", envelope: Envelope) -> int | None:
        """Send one message, with IP_HDRINCL one that begins with its IP header. Errors: EINVAL, EMSGSIZE, EPIPE, EDESTADDRREQ."""
        if self.error:
            raise SyscallError(self.take_error())
        if self.shut & SEND_SHUTDOWN:
            raise SyscallError(EPIPE)
        if source.remaining > _MESSAGE_MAX:
            raise SyscallError(EMSGSIZE)
        destination = self.destination_of(envelope)
        header = control.read_header(self, envelope)
        data = message = b"".join(iter(lambda: source.take(source.remaining) if source.remaining else b"", b""))
        origin = Endpoint(header.source or self.source_for(destination), 0)
        to, protocol = Endpoint(destination.address, 0), self.protocol
        if self.family == abi.AF_INET and self.has_own_header:
            message, protocol, origin, header = _unpack(data, origin)
        elif protocol == abi.IPPROTO_ICMPV6:
            message = icmp.seal(data, origin, to) if len(data) >= icmp.HEADER_SIZE else data
        packet = self.make(message, origin, to, header)
        if self.is_here(to):
            transmit(self.kernel.net, protocol, packet)
        else:
            self.kernel.net.outside.send(self, protocol, message, origin, to, packet.ttl, packet.tos)
        return len(data)

    @property
    def has_own_header(self) -> bool:
        """IP_HDRINCL, which IPPROTO_RAW implies."""
        return bool(self.values.get((abi.IPPROTO_IP, abi.IP_HDRINCL), self.protocol == abi.IPPROTO_RAW))

    def get_protocol_option(self, level: int, name: int) -> bytes:
        """getsockopt(2) above SOL_SOCKET."""
        if (level, name) == (abi.IPPROTO_IP, abi.IP_HDRINCL):
            return int(self.has_own_header).to_bytes(4, "little")
        size = _FILTER_SIZES.get(self.protocol)
        if size is not None and name == _FILTER and level in (abi.SOL_RAW, abi.IPPROTO_ICMPV6):
            return self.filter.to_bytes(size, "little")
        return super().get_protocol_option(level, name)

    def set_protocol_option(self, task: "Task", level: int, name: int, value: bytes) -> None:
        """setsockopt(2) above SOL_SOCKET."""
        if (level, name) == (abi.IPPROTO_IP, abi.IP_HDRINCL):
            if not value:
                raise SyscallError(EINVAL)
            self.values[level, name] = int(any(value[:4]))
        elif level == abi.SOL_RAW or (level, name) == (abi.IPPROTO_ICMPV6, _FILTER):
            size = _FILTER_SIZES.get(self.protocol)
            if size is None or name != _FILTER:
                raise SyscallError(ENOPROTOOPT)
            self.filter = int.from_bytes(value[:size], "little")
        else:
            super().set_protocol_option(task, level, name, value)

    def close(self) -> None:
        """Hear nothing more."""
        super().close()
        self.kernel.net.raw_sockets.discard(self)


def _packet(protocol: int, message: Datagram) -> bytes:
    """The message as an IPv4 packet."""
    length = _HEADER4.size + len(message.data)
    fields = (0x45, message.tos, length & 0xFFFF, 0, _DONT_FRAGMENT, message.ttl, protocol)
    ends = (message.source.address[12:], message.destination.address[12:])
    total = icmp.checksum(_HEADER4.pack(*fields, 0, *ends))
    return _HEADER4.pack(*fields, total, *ends) + message.data


def _unpack(packet: bytes, origin: Endpoint) -> tuple[bytes, int, Endpoint, Header]:
    """The parts of a packet that the program has made itself; a source of zeroes is filled in. Errors: EINVAL."""
    if len(packet) < _HEADER4.size:
        raise SyscallError(EINVAL)
    first, tos, _, _, _, ttl, protocol, _, source, _ = _HEADER4.unpack_from(packet)
    length = (first & 0xF) * 4
    if first >> 4 != 4 or not _HEADER4.size <= length <= len(packet):
        raise SyscallError(EINVAL)
    if any(source):
        origin = Endpoint(MAPPED + source, 0)
    return packet[length:], protocol, origin, Header(ttl=ttl, tos=tos)
