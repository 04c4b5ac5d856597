"""The IP layer of a host: takes packets that are for it, sends and fragments its own; it does not forward.

RFC 791, RFC 1122 section 3, RFC 8200.
"""

from errno import EMSGSIZE, ENETUNREACH
from typing import TYPE_CHECKING

from sentry.netstack.iface import address as addresses
from sentry.netstack.iface.device import LOOPBACK_INDEX, LOOPBACK_MTU, Device
from sentry.netstack.iface.route import Path
from sentry.netstack.wire import ethernet, icmp, ipv4, ipv6
from sentry.netstack.wire.packet import Packet

if TYPE_CHECKING:
    from sentry.netstack.stack import Stack


class Ip:
    """Both versions. ``identification`` starts at a random number and counts fragments' datagrams."""

    def __init__(self, stack: "Stack") -> None:
        self.stack = stack
        self.identification = int.from_bytes(stack.entropy(4), "big")

    # --- receiving -----------------------------------------------------------------------------------------------------------

    def receive(self, device: Device, data: bytes, *, is_checked: bool = False) -> None:
        """An IP packet that came in on a device; ``is_checked``: nobody has to look at its TCP checksum."""
        version = data[0] >> 4 if data else 0
        counters = self.stack.counters
        if version == 4:
            counters.ip["InReceives"] += 1
            packet = ipv4.parse(data)
            if packet is None:
                counters.ip["InHdrErrors"] += 1
                return
        elif version == 6:
            counters.ip6["InReceives"] += 1
            parsed = ipv6.parse(data)
            if isinstance(parsed, ipv6.Problem):
                self._reject(parsed, device)
                return
            packet = parsed
        else:
            counters.ip["InHdrErrors"] += 1
            return
        packet.interface = device.index
        packet.is_checked = is_checked and packet.fragment is None
        if self._is_for_us(device, packet):
            self.deliver(packet, device)

    def _reject(self, problem: ipv6.Problem, device: Device) -> None:
        self.stack.counters.ip6["InHdrErrors"] += 1
        packet = problem.packet
        if problem.code is not None and packet is not None and self._is_for_us(device, packet):
            self.stack.icmp.send_error(packet, icmp.PARAMETER6, problem.code, problem.pointer)

    def _is_for_us(self, device: Device, packet: Packet) -> bool:
        destination, source = packet.destination, packet.source
        if addresses.is_multicast(source) or source == addresses.BROADCAST4 or source in device.broadcasts:
            self.stack.counters.drop["martian source"] += 1
            return False
        if addresses.is_loopback(source) or addresses.is_loopback(destination) or self.stack.is_local(source):
            self.stack.counters.drop["martian"] += 1  # from outside with an address of ours (RFC 1122 section 3.2.1.3)
            return False
        if destination in self.stack.local:
            return True
        if destination == addresses.BROADCAST4 or destination in device.broadcasts or destination in device.groups:
            return True
        self.stack.counters.ip["InAddrErrors"] += 1
        return False

    def deliver(self, packet: Packet, device: Device) -> None:
        """Hand a packet for us to its transport, joined from its fragments."""
        if packet.fragment is not None:
            self.stack.counters.ip["ReasmReqds"] += 1
            whole = self.stack.reassembler.add(packet)
            if whole is None:
                return
            if len(whole.source) == 16:
                walked = ipv6.walk(whole, whole.payload, 0, 6, is_whole=True)
                if isinstance(walked, ipv6.Problem):
                    self._reject(walked, device)
                    return
            packet = whole
        protocol = packet.protocol
        is_taken = self.stack.raw.copy(packet)
        if protocol == icmp.PROTOCOL4 and len(packet.source) == 4:
            self.stack.icmp.receive4(packet)
        elif protocol == icmp.PROTOCOL6 and len(packet.source) == 16:
            self.stack.icmp.receive6(packet, device)
        elif (transport := self.stack.transports.get(protocol)) is not None:
            transport.receive(packet)
        elif protocol != ipv6.NO_NEXT and not is_taken:
            self.stack.counters.ip["InUnknownProtos"] += 1
            if len(packet.source) == 4:
                self.stack.icmp.send_error(packet, icmp.UNREACHABLE, icmp.PROTOCOL_UNREACHABLE)
            else:
                self.stack.icmp.send_error(packet, icmp.PARAMETER6, ipv6.BAD_NEXT_HEADER, 6)

    # --- sending -------------------------------------------------------------------------------------------------------------

    def route(self, destination: bytes, device: int = 0) -> Path | None:
        """The way of a packet: what is local goes through lo from the same address."""
        if destination in self.stack.local or addresses.is_loopback(destination):
            if device and device not in (LOOPBACK_INDEX, self.stack.local.get(destination)):
                return None
            return Path(self.stack.devices[LOOPBACK_INDEX], destination, destination)
        return self.stack.routes.lookup(destination, device)

    def mtu(self, destination: bytes, path: Path) -> int:
        """The path's MTU as far as it is known."""
        if path.device.index == LOOPBACK_INDEX:
            return LOOPBACK_MTU
        return self.stack.path_mtus.get(destination, path.device.link.mtu, self.stack.now)

    def send(self, packet: Packet, device: int = 0, *, dont_fragment: bool = False) -> int:
        """Send a packet, in fragments where it is larger than the path's MTU. Returns 0 or ENETUNREACH, EMSGSIZE."""
        stack, destination = self.stack, packet.destination
        counters = stack.counters.ip if len(destination) == 4 else stack.counters.ip6
        if destination in stack.local or addresses.is_loopback(destination):
            counters["OutRequests"] += 1
            stack.loop_back(packet)
            return 0
        path = stack.routes.lookup(destination, device)
        if path is None or addresses.is_loopback(packet.source):
            counters["OutNoRoutes"] += 1
            return ENETUNREACH
        counters["OutRequests"] += 1
        mtu = stack.path_mtus.get(destination, path.device.link.mtu, stack.now)
        if len(destination) == 4:
            if len(packet.payload) + ipv4.HEADER > mtu and not packet.is_large:
                return EMSGSIZE if dont_fragment else self._fragment4(packet, path, mtu)
            self.identification += 1
            word = ipv4.DONT_FRAGMENT if dont_fragment else 0
            stack.neighbours.send(path.device, path.next_hop, ipv4.emit(packet, self.identification & 0xFFFF, word))
        else:
            if len(packet.payload) + ipv6.HEADER > mtu and not packet.is_large:
                return EMSGSIZE if dont_fragment else self._fragment6(packet, path, mtu)
            stack.neighbours.send(path.device, path.next_hop, ipv6.emit(packet))
        return 0

    def _fragment4(self, packet: Packet, path: Path, mtu: int) -> int:
        size = (mtu - ipv4.HEADER) // 8 * 8
        self.identification += 1
        payload = packet.payload
        for offset in range(0, len(payload), size):
            piece = payload[offset : offset + size]
            part = Packet(packet.source, packet.destination, packet.protocol, piece, packet.ttl, packet.tos)
            more = ipv4.MORE_FRAGMENTS if offset + size < len(payload) else 0
            data = ipv4.emit(part, self.identification & 0xFFFF, more | offset // 8)
            self.stack.neighbours.send(path.device, path.next_hop, data)
            self.stack.counters.ip["FragCreates"] += 1
        self.stack.counters.ip["FragOKs"] += 1
        return 0

    def _fragment6(self, packet: Packet, path: Path, mtu: int) -> int:
        size = (mtu - ipv6.HEADER - 8) // 8 * 8
        identification = int.from_bytes(self.stack.entropy(4), "big")  # RFC 7739: not to be guessed
        payload = packet.payload
        for offset in range(0, len(payload), size):
            more = offset + size < len(payload)
            data = ipv6.emit_fragment(packet, payload[offset : offset + size], identification, offset, more)
            self.stack.neighbours.send(path.device, path.next_hop, data)
            self.stack.counters.ip6["FragCreates"] += 1
        self.stack.counters.ip6["FragOKs"] += 1
        return 0

    def emit(self, packet: Packet) -> bytes:
        """The bytes of a packet that never left (for the quote of an error)."""
        return ipv4.emit(packet, 0, 0) if len(packet.source) == 4 else ipv6.emit(packet)

    def transmit_to(self, device: Device, mac: bytes, packet: Packet) -> None:
        """Send an IPv6 packet to a known Ethernet address."""
        device.transmit(ethernet.emit(mac, device.link.mac, ethernet.TYPE_IPV6, ipv6.emit(packet)))
