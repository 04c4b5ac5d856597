"""Raw endpoints (raw(7)) and ping endpoints (icmp(7), SOCK_DGRAM with IPPROTO_ICMP)."""

from errno import EADDRINUSE, EDESTADDRREQ, EINVAL, ENETUNREACH
from typing import TYPE_CHECKING

from sentry.netstack.iface.icmp import IcmpError
from sentry.netstack.interface import NetError
from sentry.netstack.transport.datagram import Datagram, DatagramEndpoint
from sentry.netstack.wire import icmp
from sentry.netstack.wire.packet import Packet

if TYPE_CHECKING:
    from sentry.netstack.stack import Stack

_PROTOCOL_RAW = 255


class RawEndpoint(DatagramEndpoint):
    """Gets a copy of every packet of its protocol; over IPv4 with the header (raw(7))."""

    def __init__(self, stack: "Stack", family: int, protocol: int) -> None:
        super().__init__(stack)
        self.family = family
        self.protocol = protocol

    def bind(self, address: bytes) -> None:
        """Receive packets to this address alone."""
        self.local = address

    def connect(self, address: bytes) -> None:
        """Fix the peer; an empty address undoes it."""
        self.remote = address

    def send(self, payload: bytes, now: int, to: bytes = b"") -> int:
        """Send a packet's payload; the checksum of ICMPv6 is filled in (RFC 3542 section 3.1).

        Errors: EDESTADDRREQ, ENETUNREACH, EMSGSIZE, EINVAL.
        """
        self.stack.now = now
        address = to or self.remote
        if not address:
            raise NetError(EDESTADDRREQ)
        path = self.stack.ip.route(address, self.device)
        if path is None:
            raise NetError(ENETUNREACH)
        source = self.local or path.source
        if self.protocol == icmp.PROTOCOL6:
            if len(payload) < icmp.HEADER:
                raise NetError(EINVAL)
            message = icmp.Message(payload[0], payload[1], int.from_bytes(payload[4:8], "big"), payload[8:])
            payload = icmp.emit6(source, address, message)
        errno = self.stack.ip.send(
            Packet(source, address, self.protocol, payload, self.ttl, self.tos), self.device, dont_fragment=self.dont_fragment
        )
        if errno:
            raise NetError(errno)
        self.stack.drain()
        return len(payload)

    def close(self) -> None:
        """Receive no more."""
        self.stack.raw.endpoints.remove(self)


class PingEndpoint(DatagramEndpoint):
    """Sends echo requests with its own identifier and gets the answers to them."""

    def __init__(self, stack: "Stack", family: int) -> None:
        super().__init__(stack)
        self.family = family
        self.identifier = 0

    def bind(self, address: bytes, identifier: int) -> None:
        """Take an identifier, a free one where it is 0. Errors: EADDRINUSE."""
        pings = self.stack.raw.pings
        if not identifier:
            start = int.from_bytes(self.stack.entropy(2), "big")
            free = (one for step in range(65535) if (self.family, one := (start + step) % 65535 + 1) not in pings)
            identifier = next(free, 0)
        if not identifier or (self.family, identifier) in pings:
            raise NetError(EADDRINUSE)
        self.local, self.identifier = address, identifier
        pings[self.family, identifier] = self

    def send(self, payload: bytes, now: int, to: bytes = b"") -> int:
        """Send an echo request that the caller made; identifier and checksum are filled in.

        Errors: EINVAL not an echo request, EDESTADDRREQ, ENETUNREACH, EMSGSIZE.
        """
        self.stack.now = now
        address = to or self.remote
        kind = icmp.ECHO if self.family == 4 else icmp.ECHO6
        if len(payload) < icmp.HEADER or payload[0] != kind or payload[1]:
            raise NetError(EINVAL)
        if not address:
            raise NetError(EDESTADDRREQ)
        if not self.identifier:
            self.bind(b"", 0)
        path = self.stack.ip.route(address, self.device)
        if path is None:
            raise NetError(ENETUNREACH)
        source = self.local or path.source
        message = icmp.Message(kind, 0, self.identifier << 16 | int.from_bytes(payload[6:8], "big"), payload[8:])
        data = icmp.emit4(message) if self.family == 4 else icmp.emit6(source, address, message)
        protocol = icmp.PROTOCOL4 if self.family == 4 else icmp.PROTOCOL6
        errno = self.stack.ip.send(Packet(source, address, protocol, data, self.ttl, self.tos), self.device)
        if errno:
            raise NetError(errno)
        self.stack.drain()
        return len(payload)

    def close(self) -> None:
        """Give the identifier back."""
        self.stack.raw.pings.pop((self.family, self.identifier), None)


class RawTransport:
    """All raw endpoints, and the ping endpoints by family and identifier."""

    def __init__(self, stack: "Stack") -> None:
        self.stack = stack
        self.endpoints: list[RawEndpoint] = []
        self.pings: dict[tuple[int, int], PingEndpoint] = {}

    def create(self, family: int, protocol: int) -> RawEndpoint:
        """A new raw endpoint of a family, 4 or 16."""
        endpoint = RawEndpoint(self.stack, family, protocol)
        self.endpoints.append(endpoint)
        return endpoint

    def create_ping(self, family: int) -> PingEndpoint:
        """A new ping endpoint of a family, 4 or 16."""
        return PingEndpoint(self.stack, family)

    def receive(self, packet: Packet) -> None:
        """ICMP is received by the ICMP layer; this is only for the table of transports."""

    def copy(self, packet: Packet) -> bool:
        """Give copies of a packet to raw endpoints; True: somebody took it."""
        is_taken = False
        for endpoint in self.endpoints:
            if endpoint.protocol != packet.protocol or endpoint.family != len(packet.source):
                continue
            if endpoint.local not in (b"", packet.destination) or endpoint.remote not in (b"", packet.source):
                continue
            payload = packet.payload
            if endpoint.family == 4:
                payload = (packet.raw or self.stack.ip.emit(packet))[: packet.header_size or 20] + payload
            endpoint.push(self._datagram(packet, payload))
            is_taken = True
        return is_taken

    def receive_echo_reply(self, packet: Packet, message: icmp.Message) -> None:
        """Give an answer to the endpoint that asked."""
        endpoint = self.pings.get((len(packet.source), message.rest >> 16))
        if endpoint is not None:
            endpoint.push(self._datagram(packet, packet.payload))

    def _datagram(self, packet: Packet, payload: bytes) -> Datagram:
        return Datagram(payload, packet.source, 0, packet.destination, packet.interface, packet.ttl, packet.tos, self.stack.now)

    def handle_error(self, local: bytes, remote: bytes, quoted: bytes, error: IcmpError) -> None:
        """An ICMP error for an echo request of ours."""
        endpoint = self.pings.get((len(local), int.from_bytes(quoted[4:6], "big")))
        if endpoint is not None:
            endpoint.fail(error, remote, 0, quoted[8:])
