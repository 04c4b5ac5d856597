"""The stack of one network namespace: devices, routes and transports, driven by ``receive`` and ``poll``."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from sentry.netstack.counters import Counters
from sentry.netstack.iface import address as addresses
from sentry.netstack.iface.device import LOOPBACK_INDEX, Assigned, Device, LoopbackLink
from sentry.netstack.iface.icmp import IcmpError, IcmpLayer
from sentry.netstack.iface.ip import Ip
from sentry.netstack.iface.neighbour import NeighbourTable
from sentry.netstack.iface.pmtu import PathMtus
from sentry.netstack.iface.reassembly import Reassembler
from sentry.netstack.iface.route import Route, RouteTable
from sentry.netstack.interface import SECOND, Limits, Link
from sentry.netstack.timer import Timer, TimerQueue
from sentry.netstack.transport.raw import RawTransport
from sentry.netstack.transport.tcp.transport import TcpTransport
from sentry.netstack.transport.udp import UdpTransport
from sentry.netstack.wire import ethernet, icmp, tcp, udp
from sentry.netstack.wire.packet import Packet


class Transport(Protocol):
    """What the IP layer hands packets and errors to."""

    def receive(self, packet: Packet) -> None:
        """A packet of the protocol, for an address of ours or a group."""

    def handle_error(self, local: bytes, remote: bytes, quoted: bytes, error: IcmpError) -> None:
        """A packet that was sent from ``local`` to ``remote`` met an error; ``quoted`` begins with its transport header."""


class Stack:
    """``local`` are the addresses of this host with the device of each; ``now`` is the time of the current call."""

    def __init__(self, entropy: Callable[[int], bytes], limits: Limits | None = None, now: int = 0) -> None:
        self.entropy = entropy
        self.limits = limits or Limits()
        self.now = now
        self.timers = TimerQueue()
        self.counters = Counters()
        self.devices: dict[int, Device] = {}
        self.local: dict[bytes, int] = {}
        self.loop: deque[Packet] = deque()
        self.routes = RouteTable(self.devices, self.limits.routes)
        self.path_mtus = PathMtus(self.limits.path_mtus)
        self.ip = Ip(self)
        self.icmp = IcmpLayer(self)
        self.neighbours = NeighbourTable(self)
        self.reassembler = Reassembler(self)
        self.tcp = TcpTransport(self)
        self.udp = UdpTransport(self)
        self.raw = RawTransport(self)
        self.transports: dict[int, Transport] = {
            tcp.PROTOCOL: self.tcp, udp.PROTOCOL: self.udp, icmp.PROTOCOL4: self.raw, icmp.PROTOCOL6: self.raw,
        }  # fmt: skip
        self.add_link(LoopbackLink())
        self.local[addresses.LOOPBACK4] = self.local[addresses.LOOPBACK6] = LOOPBACK_INDEX
        lo = self.devices[LOOPBACK_INDEX]
        lo.addresses = [Assigned(addresses.LOOPBACK4, 8), Assigned(addresses.LOOPBACK6, 128)]

    # --- configuration -------------------------------------------------------------------------------------------------------

    def add_link(self, link: Link) -> int:
        """Add a device for a link; returns its index."""
        index = max(self.devices, default=0) + 1
        device = self.devices[index] = Device(index, link)
        device.groups[addresses.ALL_NODES6] = 1
        device.groups[b"\xe0\x00\x00\x01"] = 1  # all systems (RFC 1112 section 4)
        return index

    def add_address(self, index: int, address: bytes, prefix: int, *, has_dad: bool = False) -> None:
        """Give a device an address and the route of its network.

        ``has_dad``: an IPv6 address is tentative for a second while the link is asked (RFC 4862 section 5.4, one probe).
        """
        device = self.devices[index]
        if device.find(address) is not None:
            return
        assigned = Assigned(address, prefix)
        device.addresses.append(assigned)
        if len(address) == 16:
            group = addresses.solicited_node(address)
            device.groups[group] = device.groups.get(group, 0) + 1
        if broadcast := addresses.broadcast_of(address, prefix):
            device.broadcasts.add(broadcast)
        if has_dad and len(address) == 16 and device.link.mac:
            assigned.is_tentative = True
            group = addresses.solicited_node(address)
            self.icmp.send_neighbour(device, icmp.SOLICITATION, addresses.ANY6, group, address, 0, b"")
            Timer(self.timers, lambda now: self._confirm(device, assigned)).set(self.now + SECOND)
        else:
            self._confirm(device, assigned)

    def _confirm(self, device: Device, assigned: Assigned) -> None:
        if assigned not in device.addresses:
            return
        assigned.is_tentative = False
        self.local[assigned.address] = device.index
        size = len(assigned.address) * 8
        mask = (1 << size) - (1 << size - assigned.prefix)
        network = (int.from_bytes(assigned.address, "big") & mask).to_bytes(size // 8, "big")
        self.routes.add(Route(network, assigned.prefix, device.index, source=assigned.address))
        self.routes.changed()
        if device.link.mac and len(assigned.address) == 4:
            self.neighbours.announce(device, assigned.address)

    def remove_address(self, index: int, address: bytes) -> None:
        """Take an address away, with the routes that send from it."""
        device = self.devices[index]
        device.addresses = [one for one in device.addresses if one.address != address]
        self.local.pop(address, None)
        for route in [one for one in self.routes.routes if one.source == address]:
            self.routes.remove(route)
        self.routes.changed()

    def add_route(self, route: Route) -> bool:
        """Add a route; False: the table is full or has it."""
        return self.routes.add(route)

    def is_local(self, address: bytes) -> bool:
        """Whether an address is this host's."""
        return address in self.local or addresses.is_loopback(address)

    # --- driving -------------------------------------------------------------------------------------------------------------

    def receive(self, index: int, frame: bytes, now: int, *, is_checked: bool = False) -> None:
        """A frame came in on a device; ``is_checked``: the link vouches for its TCP checksum. Never raises, whatever it holds."""
        self.now = now
        device = self.devices[index]
        device.received[0] += 1
        device.received[1] += len(frame)
        if device.link.mac:
            self._receive_ethernet(device, frame, is_checked=is_checked)
        else:
            self.ip.receive(device, frame)
        self.drain()

    def _receive_ethernet(self, device: Device, frame: bytes, *, is_checked: bool) -> None:
        header = ethernet.parse(frame)
        if header is None:
            self.counters.drop["short frame"] += 1
            return
        destination, _, type = header
        if destination != device.link.mac and not destination[0] & 1:
            self.counters.drop["other host"] += 1
        elif type in (ethernet.TYPE_IPV4, ethernet.TYPE_IPV6):
            self.ip.receive(device, frame[ethernet.HEADER :], is_checked=is_checked)
        elif type == ethernet.TYPE_ARP:
            self.neighbours.receive_arp(device, frame[ethernet.HEADER :])
        else:
            self.counters.drop["unknown ethertype"] += 1

    def poll(self, now: int) -> None:
        """Run the timers that are due."""
        self.now = now
        self.timers.run(now)
        self.drain()

    def next_deadline(self) -> int | None:
        """When ``poll`` is to be called at the latest; None: only after another call."""
        return self.timers.next_deadline()

    def loop_back(self, packet: Packet) -> None:
        """Queue a packet of ours for ourselves; ``drain`` delivers it."""
        if len(self.loop) >= self.limits.loop_packets:
            self.counters.drop["loopback queue full"] += 1
            return
        packet.interface = LOOPBACK_INDEX
        self.loop.append(packet)

    def drain(self) -> None:
        """Deliver what was sent to ourselves; each call from outside ends with this, so no endpoint is entered twice."""
        loop = self.loop
        lo = self.devices[LOOPBACK_INDEX]
        while loop:
            packet = loop.popleft()
            lo.sent[0] += 1
            lo.received[0] += 1
            self.ip.deliver(packet, lo)
