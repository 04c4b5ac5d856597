"""Neighbours: which Ethernet address an IP address has, asked by ARP (RFC 826) or NDP (RFC 4861 section 7.3)."""

from collections import deque
from typing import TYPE_CHECKING

from sentry.netstack.iface import address as addresses
from sentry.netstack.iface.device import Device
from sentry.netstack.interface import SECOND
from sentry.netstack.timer import Timer
from sentry.netstack.wire import arp, ethernet, icmp
from sentry.netstack.wire.packet import Packet

if TYPE_CHECKING:
    from sentry.netstack.stack import Stack

INCOMPLETE, REACHABLE, STALE, DELAY, PROBE = 1, 2, 4, 8, 16  # NUD_*
REACHABLE_TIME, DELAY_TIME, RETRANS_TIME, TRIES = 30 * SECOND, 5 * SECOND, SECOND, 3
DEFEND_INTERVAL = 10 * SECOND  # RFC 5227 section 1.1
TYPES = {4: ethernet.TYPE_IPV4, 16: ethernet.TYPE_IPV6}


class Neighbour:
    """One entry; ``queue`` holds packets that wait for the address, the oldest goes first when it is full."""

    __slots__ = ("confirmed_at", "device", "hop", "mac", "queue", "state", "timer", "tries")

    def __init__(self, device: Device, hop: bytes, timer: Timer) -> None:
        self.device = device
        self.hop = hop
        self.timer = timer
        self.mac = b""
        self.state = INCOMPLETE
        self.confirmed_at = 0
        self.tries = 0
        self.queue: deque[bytes] = deque()


class NeighbourTable:
    """All entries of all devices, the oldest first."""

    def __init__(self, stack: "Stack") -> None:
        self.stack = stack
        self.entries: dict[tuple[int, bytes], Neighbour] = {}
        self.defended_at: int | None = None

    def send(self, device: Device, hop: bytes, data: bytes) -> None:
        """Send an IP packet to the neighbour ``hop``, after asking for its address if need be."""
        if not device.link.mac:
            device.transmit(data)
            return
        mac = self._fixed(device, hop)
        if not mac:
            entry = self.entries.get((device.index, hop)) or self._start(device, hop)
            mac = entry.mac
            if not mac:
                entry.queue.append(data)
                if len(entry.queue) > self.stack.limits.neighbour_queue:
                    entry.queue.popleft()
                    self.stack.counters.drop["neighbour queue full"] += 1
                return
            if entry.state == REACHABLE and self.stack.now - entry.confirmed_at > REACHABLE_TIME:
                entry.state = STALE
            if entry.state == STALE:
                entry.state, entry.tries = DELAY, 0
                entry.timer.set(self.stack.now + DELAY_TIME)
        device.transmit(ethernet.emit(mac, device.link.mac, TYPES[len(hop)], data))

    def state(self, entry: Neighbour, now: int) -> int:
        """The NUD_* of an entry: one that was not confirmed for a while is stale, though nobody has looked."""
        if entry.state == REACHABLE and now - entry.confirmed_at > REACHABLE_TIME:
            return STALE
        return entry.state

    @staticmethod
    def _fixed(device: Device, hop: bytes) -> bytes:
        if addresses.is_multicast(hop):
            return ethernet.multicast4(hop) if len(hop) == 4 else ethernet.multicast6(hop)
        return ethernet.BROADCAST if hop == addresses.BROADCAST4 or hop in device.broadcasts else b""

    def _start(self, device: Device, hop: bytes) -> Neighbour:
        entry = self._add(device, hop)
        self._ask(entry)
        return entry

    def _add(self, device: Device, hop: bytes) -> Neighbour:
        key = (device.index, hop)
        if len(self.entries) >= self.stack.limits.neighbours:
            oldest = next((at for at, one in self.entries.items() if one.state == STALE), None) or next(iter(self.entries))
            self.entries.pop(oldest).timer.cancel()
            self.stack.counters.drop["neighbour table full"] += 1
        entry = self.entries[key] = Neighbour(device, hop, Timer(self.stack.timers, lambda now: self._expire(key)))
        return entry

    def _ask(self, entry: Neighbour) -> None:
        """Send a request: to everybody, or to the known address while probing (RFC 4861 section 7.3.3)."""
        entry.tries += 1
        entry.timer.set(self.stack.now + RETRANS_TIME)
        source = entry.device.source_for(entry.hop)
        if source is None:
            return
        mac = entry.device.link.mac
        if len(entry.hop) == 4:
            packet = arp.emit(arp.Arp(arp.REQUEST, mac, source, entry.mac or arp.UNKNOWN, entry.hop))
            entry.device.transmit(ethernet.emit(entry.mac or ethernet.BROADCAST, mac, ethernet.TYPE_ARP, packet))
        else:
            target = entry.hop if entry.mac else addresses.solicited_node(entry.hop)
            self.stack.icmp.send_neighbour(entry.device, icmp.SOLICITATION, source, target, entry.hop, 0, entry.mac)

    def _expire(self, key: tuple[int, bytes]) -> None:
        entry = self.entries.get(key)
        if entry is None:
            return
        if entry.state == DELAY:
            entry.state = PROBE
        if entry.tries < TRIES:
            self._ask(entry)
            return
        del self.entries[key]
        for data in entry.queue:
            self.stack.icmp.report_unreachable(data)

    def learn(self, device: Device, address: bytes, mac: bytes, *, may_create: bool, is_reply: bool) -> None:
        """Note what a packet says; ``is_reply``: it answers a question, so that the way there and back works."""
        entry = self.entries.get((device.index, address))
        if entry is None:
            if not may_create:
                return
            entry = self._add(device, address)
        if is_reply:
            entry.state, entry.confirmed_at, entry.tries = REACHABLE, self.stack.now, 0
            entry.timer.clear()
        elif entry.state == INCOMPLETE or entry.mac != mac:
            entry.state = STALE
            entry.timer.clear()
        entry.mac = mac
        while entry.queue:
            device.transmit(ethernet.emit(mac, device.link.mac, TYPES[len(address)], entry.queue.popleft()))

    def receive_arp(self, device: Device, data: bytes) -> None:
        """Handle an ARP packet (RFC 826 "Packet Reception"; RFC 5227 section 2.4: defend an address once in ten seconds)."""
        packet = arp.parse(data)
        if packet is None or packet.sender_mac[0] & 1 or addresses.is_multicast(packet.sender):
            self.stack.counters.drop["bad arp"] += 1
            return
        mac = device.link.mac
        is_mine = device.find(packet.target) is not None
        if device.find(packet.sender) is not None:
            if packet.sender_mac != mac:
                self.stack.counters.drop["arp conflict"] += 1
                self._defend(device, packet.sender)
            return
        if not addresses.is_any(packet.sender):
            is_answer = packet.operation == arp.REPLY and is_mine
            self.learn(device, packet.sender, packet.sender_mac, may_create=is_mine, is_reply=is_answer)
        if is_mine and packet.operation == arp.REQUEST:
            answer = arp.emit(arp.Arp(arp.REPLY, mac, packet.target, packet.sender_mac, packet.sender))
            device.transmit(ethernet.emit(packet.sender_mac, mac, ethernet.TYPE_ARP, answer))

    def _defend(self, device: Device, address: bytes) -> None:
        if self.defended_at is None or self.stack.now - self.defended_at >= DEFEND_INTERVAL:
            self.defended_at = self.stack.now
            self.announce(device, address)

    def announce(self, device: Device, address: bytes) -> None:
        """Tell the link of an IPv4 address of ours (RFC 5227 section 2.3)."""
        mac = device.link.mac
        packet = arp.emit(arp.Arp(arp.REQUEST, mac, address, arp.UNKNOWN, address))
        device.transmit(ethernet.emit(ethernet.BROADCAST, mac, ethernet.TYPE_ARP, packet))

    def receive_ndp(self, device: Device, packet: Packet, message: icmp.Message) -> None:
        """Handle a solicitation or an advertisement (RFC 4861 sections 7.1, 7.2)."""
        body = icmp.parse_neighbour(message)
        if body is None or packet.ttl != 255 or (body.mac and body.mac[0] & 1):
            self.stack.counters.drop["bad ndp"] += 1
            return
        mine = device.find(body.target)
        if message.type == icmp.ADVERTISEMENT:
            if mine is not None:
                self._conflict(device, mine.address, is_tentative=mine.is_tentative)
            elif body.mac:
                self.learn(device, body.target, body.mac, may_create=False, is_reply=bool(body.flags & icmp.SOLICITED))
            return
        is_probe = addresses.is_any(packet.source)
        if mine is None:
            return
        if mine.is_tentative:
            if is_probe:
                self._conflict(device, mine.address, is_tentative=True)
            return
        if body.mac and not is_probe:
            self.learn(device, packet.source, body.mac, may_create=True, is_reply=False)
        flags = icmp.OVERRIDE if is_probe else icmp.OVERRIDE | icmp.SOLICITED
        target = addresses.ALL_NODES6 if is_probe else packet.source
        self.stack.icmp.send_neighbour(device, icmp.ADVERTISEMENT, body.target, target, body.target, flags, b"")

    def _conflict(self, device: Device, address: bytes, *, is_tentative: bool) -> None:
        """Someone else has our address: while it was tentative it is given up (RFC 4862 section 5.4.5)."""
        self.stack.counters.drop["ndp conflict"] += 1
        if is_tentative:
            self.stack.remove_address(device.index, address)
