"""UDP (RFC 768, RFC 1122 section 4.1, udp(7)): endpoints, and who gets what comes in."""

from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL, EDESTADDRREQ, EINVAL, EMSGSIZE, ENETUNREACH
from typing import TYPE_CHECKING

from sentry.netstack.iface import address as addresses
from sentry.netstack.iface.device import LOOPBACK_INDEX
from sentry.netstack.iface.icmp import IcmpError
from sentry.netstack.interface import NetError
from sentry.netstack.transport.datagram import Datagram, DatagramEndpoint
from sentry.netstack.transport.ports import Binding, PortTable
from sentry.netstack.wire import icmp, udp
from sentry.netstack.wire.packet import Packet

if TYPE_CHECKING:
    from sentry.netstack.stack import Stack


class UdpEndpoint(DatagramEndpoint):
    """A UDP endpoint; ``family`` is the size of its addresses, 0 for both."""

    def __init__(self, stack: "Stack", family: int) -> None:
        super().__init__(stack)
        self.family = family
        self.binding: Binding | None = None
        self.port = 0
        self.remote_port = 0
        self.has_checksum = True

    def bind(self, address: bytes, port: int, *, can_reuse: bool = False, can_share: bool = False) -> None:
        """Take a port. Errors: EINVAL bound already, EADDRNOTAVAIL not our address, EADDRINUSE."""
        if self.binding is not None:
            raise NetError(EINVAL)
        if address and not (self.stack.is_local(address) or addresses.is_multicast(address) or self._is_broadcast(address)):
            raise NetError(EADDRNOTAVAIL)
        family = len(address) or self.family
        binding = Binding(address, port, family, can_reuse, can_share, self.device)
        if not self.stack.udp.ports.take(binding):
            raise NetError(EADDRINUSE)
        self.binding, self.local, self.port = binding, address, binding.port
        self.stack.udp.endpoints.setdefault(self.port, []).append(self)

    def _is_broadcast(self, address: bytes) -> bool:
        return address == addresses.BROADCAST4 or any(address in device.broadcasts for device in self.stack.devices.values())

    def connect(self, address: bytes, port: int) -> None:
        """Fix the peer; an empty address undoes it. Errors: ENETUNREACH, EADDRINUSE, EACCES broadcast not allowed."""
        if not address:
            self.remote, self.remote_port = b"", 0
            return
        path = self.stack.ip.route(address, self.device)
        if path is None:
            raise NetError(ENETUNREACH)
        if self._is_broadcast(address) and not self.can_broadcast:
            raise NetError(EACCES)
        if self.binding is None:
            self.bind(b"", 0)
        if not self.local:
            self.local = path.source
        self.remote, self.remote_port = address, port

    def send(self, payload: bytes, now: int, to: tuple[bytes, int] | None = None, source: bytes = b"", device: int = 0) -> int:
        """Send one datagram; returns its size.

        Errors: EDESTADDRREQ, EMSGSIZE, ENETUNREACH, EACCES, EADDRINUSE no port left, or what an ICMP error told before.
        """
        stack = self.stack
        stack.now = now
        if self.error:
            raise NetError(self.take_error())
        if to is None and not self.remote:
            raise NetError(EDESTADDRREQ)
        address, port = to or (self.remote, self.remote_port)
        if len(payload) > udp.PAYLOAD_MAX:
            raise NetError(EMSGSIZE)
        if self.binding is None:
            self.bind(b"", 0)
        path = stack.ip.route(address, device or self.device)
        if path is None:
            raise NetError(ENETUNREACH)
        is_group = addresses.is_multicast(address)
        if not self.can_broadcast and self._is_broadcast(address):
            raise NetError(EACCES)
        source = source or (self.local if self.local and not addresses.is_multicast(self.local) else path.source)
        data = udp.emit(source, address, self.port, port, payload, self.has_checksum or len(address) == 16)
        packet = Packet(source, address, udp.PROTOCOL, data, self.multicast_ttl if is_group else self.ttl, self.tos)
        stack.counters.udp["OutDatagrams"] += 1
        if is_group and self.multicast_loop and address in path.device.groups:
            stack.loop_back(Packet(source, address, udp.PROTOCOL, data, packet.ttl, self.tos))
        if not (is_group and path.device.index == LOOPBACK_INDEX):
            errno = stack.ip.send(packet, device or self.device, dont_fragment=self.dont_fragment)
            if errno:
                raise NetError(errno)
        stack.drain()
        return len(payload)

    def close(self) -> None:
        """Give everything back."""
        self.leave_all()
        if self.binding is not None:
            self.stack.udp.ports.release(self.binding)
            there = self.stack.udp.endpoints[self.port]
            there.remove(self)
            if not there:
                del self.stack.udp.endpoints[self.port]
            self.binding = None
        self.queue.clear()

    def score(self, packet: Packet, source_port: int) -> int:
        """How well it fits a datagram (Linux: compute_score()); 0: not at all."""
        if self.family and len(packet.source) != self.family:
            return 0
        if self.device and self.device != packet.interface:
            return 0
        total = 1 + (self.device != 0)
        if self.local:
            if self.local != packet.destination:
                return 0
            total += 2
        if self.remote:
            if self.remote != packet.source or self.remote_port != source_port:
                return 0
            total += 4
        return total


class UdpTransport:
    """All UDP endpoints, by port."""

    def __init__(self, stack: "Stack") -> None:
        self.stack = stack
        self.ports = PortTable(stack.entropy)
        self.endpoints: dict[int, list[UdpEndpoint]] = {}

    def create(self, family: int) -> UdpEndpoint:
        """A new endpoint; ``family`` 4, 16, or 0 for a dual-stack one."""
        return UdpEndpoint(self.stack, family)

    def receive(self, packet: Packet) -> None:
        """A UDP packet for us."""
        stack, counters = self.stack, self.stack.counters.udp
        parsed = udp.parse(packet.source, packet.destination, packet.payload)
        if parsed is None:
            counters["InErrors"] += 1
            return
        source_port, port, payload = parsed
        found = [(one.score(packet, source_port), one) for one in self.endpoints.get(port, ())]
        found = [one for one in found if one[0]]
        is_unicast = stack.is_local(packet.destination)
        if not found:
            counters["NoPorts"] += 1
            if is_unicast:
                stack.icmp.send_unreachable(packet, icmp.PORT_UNREACHABLE, icmp.PORT_UNREACHABLE6)
            return
        if is_unicast:
            best = max(score for score, _ in found)
            same = [one for score, one in found if score == best]
            spread = (hash((packet.source, source_port)) & 0x7FFFFFFF) % len(same) if len(same) > 1 else 0
            receivers = [same[spread]]
        else:
            is_group = addresses.is_multicast(packet.destination)
            receivers = [one for _, one in found if not is_group or self._is_member(one, packet)]
        source, destination = packet.source, packet.destination
        datagram = Datagram(payload, source, source_port, destination, packet.interface, packet.ttl, packet.tos, stack.now)
        for endpoint in receivers:
            if endpoint.push(datagram):
                counters["InDatagrams"] += 1
            else:
                counters["RcvbufErrors"] += 1

    @staticmethod
    def _is_member(endpoint: UdpEndpoint, packet: Packet) -> bool:
        return any(group == packet.destination for _, group in endpoint.groups)

    def handle_error(self, local: bytes, remote: bytes, quoted: bytes, error: IcmpError) -> None:
        """An ICMP error for a datagram of ours."""
        source_port, port = int.from_bytes(quoted[:2], "big"), int.from_bytes(quoted[2:4], "big")
        if error.mtu:
            path = self.stack.ip.route(remote)
            if path is not None and any(True for _ in self.endpoints.get(source_port, ())):
                self.stack.path_mtus.lower(remote, error.mtu, self.stack.ip.mtu(remote, path), self.stack.now)
        for endpoint in self.endpoints.get(source_port, ()):
            is_peer = not endpoint.remote or (endpoint.remote, endpoint.remote_port) == (remote, port)
            if endpoint.local in (b"", local) and is_peer:
                endpoint.fail(error, remote, port, quoted[8:])
