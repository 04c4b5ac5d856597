"""UDP and echo requests of guests to the outside, and UDP of the outside to published ports: one host socket for each flow."""

from _socket import IPPROTO_ICMP, IPPROTO_ICMPV6, SOCK_DGRAM, socket
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from select import EPOLLIN
from typing import Final

from gofer.net.anywhere import is_of_the_world
from gofer.net.guest import Guest
from gofer.net.loop import Loop
from gofer.net.policy import Destinations
from gofer.net.sockets import binary, connect, family_of, open_socket, refuse
from sentry.netstack.iface.device import Device
from sentry.netstack.iface.icmp import IcmpLayer
from sentry.netstack.interface import SECOND
from sentry.netstack.stack import Stack
from sentry.netstack.timer import Timer
from sentry.netstack.transport.udp import UdpTransport
from sentry.netstack.wire import icmp, udp
from sentry.netstack.wire.packet import Packet

_FLOWS_MAX: Final = 512
_PEERS_MAX: Final = 4096
_IDLE: Final = 120 * SECOND
_SIZE_MAX: Final = 65_535
_BURST: Final = 32
_WORD: Final = 0xFFFF
Answer = Callable[[bytes], Packet | None]


class Flow:
    """One host socket, connected; ``answer`` makes the guest's packet of what comes back."""

    def __init__(self, loop: Loop, host: socket, packet: Packet, answer: Answer, end: Callable[[], None]) -> None:
        self._loop = loop
        self._host = host
        self._packet = packet  # the latest, which an error is about
        self._answer = answer
        self._end = end
        self._timer = Timer(loop.stack.timers, lambda _: end())
        loop.watch(host.fileno(), EPOLLIN, lambda _: self._ready())

    def send(self, packet: Packet, data: bytes) -> None:
        """Send one datagram; what the host refuses the guest hears of."""
        self._packet = packet
        self._timer.set(self._loop.now() + _IDLE)
        try:
            self._host.send(data)
        except BlockingIOError:
            return  # dropped, as on any full wire
        except OSError as error:
            refuse(self._loop.stack, packet, error.errno or 0)

    def _ready(self) -> None:
        stack = self._loop.stack
        for _ in range(_BURST):
            try:
                data = self._host.recv(_SIZE_MAX)
            except BlockingIOError:
                break
            except OSError as error:
                stack.now = self._loop.now()
                refuse(stack, self._packet, error.errno or 0)
                break
            answer = self._answer(data)
            if answer is not None:
                stack.now = self._loop.now()
                stack.ip.send(answer)
                stack.drain()

    def close(self) -> None:
        """Give the socket back."""
        self._timer.cancel()
        self._loop.forget(self._host.fileno())
        self._host.close()


class Flows:
    """The flows by their key, the one that was used longest ago ends first."""

    def __init__(self) -> None:
        self.loop: Loop | None = None
        self._flows: OrderedDict[object, Flow] = OrderedDict()

    def find(self, key: object, packet: Packet, open_host: Callable[[], socket], answer: Answer) -> Flow | None:
        """The flow of ``key``, made if there is none; None: the host refuses, and the guest has been told."""
        flow = self._flows.get(key)
        loop = self.loop
        assert loop is not None
        if flow is None:
            try:
                host = open_host()
            except OSError as error:
                refuse(loop.stack, packet, error.errno or 0)
                return None
            flow = self._flows[key] = Flow(loop, host, packet, answer, lambda: self._drop(key))
            if len(self._flows) > _FLOWS_MAX:
                self._drop(next(iter(self._flows)))
        self._flows.move_to_end(key)
        return flow

    def _drop(self, key: object) -> None:
        self._flows.pop(key).close()


def _connected(kind: int, protocol: int, address: bytes, port: int) -> socket:
    host = open_socket(family_of(address), kind, protocol)
    error = connect(host, address, port)
    if error:
        host.close()
        raise OSError(error, "connect")
    return host


class OutsideUdp(UdpTransport):
    """UDP that has no endpoints but the host's. ``published`` are the guest's ports that the host's lead to."""

    def __init__(self, stack: Stack, destinations: Destinations, flows: Flows) -> None:
        super().__init__(stack)
        self.published: dict[int, PublishedUdp] = {}
        self._destinations = destinations
        self._flows = flows

    def receive(self, packet: Packet) -> None:
        """A datagram of the guest's."""
        parsed = udp.parse(packet.source, packet.destination, packet.payload)
        if parsed is None:
            self.stack.counters.udp["InErrors"] += 1
            return
        source_port, port, payload = parsed
        published = self.published.get(source_port)
        if published is not None and published.answer(packet.destination, port, payload):
            return
        address = self._destinations.find(packet.destination, port)
        if not address:
            self.stack.icmp.send_unreachable(packet, icmp.PORT_UNREACHABLE, icmp.PORT_UNREACHABLE6)
            return
        source, destination = packet.source, packet.destination

        def answer(data: bytes) -> Packet:
            return Packet(destination, source, udp.PROTOCOL, udp.emit(destination, source, port, source_port, data))

        key = (source, source_port, destination, port)
        flow = self._flows.find(key, packet, lambda: _connected(SOCK_DGRAM, 0, address, port), answer)
        if flow is not None:
            flow.send(packet, payload)


class OutsideIcmp(IcmpLayer):
    """ICMP that passes echo requests on through ping sockets (icmp(7)); for the addresses on the link it answers itself."""

    def __init__(self, stack: Stack, destinations: Destinations, flows: Flows, own: tuple[bytes, ...]) -> None:
        super().__init__(stack)
        self._destinations = destinations
        self._flows = flows
        self._own = own

    def receive4(self, packet: Packet) -> None:
        """An ICMP packet of the guest's."""
        message = icmp.parse4(packet.payload)
        if message is None or message.type != icmp.ECHO or packet.destination in self._own:
            super().receive4(packet)
            return
        source, destination, identifier = packet.source, packet.destination, message.rest >> 16

        def answer(data: bytes) -> Packet | None:
            reply = icmp.parse4(data)
            if reply is None or reply.type != icmp.ECHO_REPLY:
                return None
            restored = reply._replace(rest=identifier << 16 | reply.rest & _WORD)
            return Packet(destination, source, icmp.PROTOCOL4, icmp.emit4(restored))

        self._pass_on(packet, identifier, IPPROTO_ICMP, answer)

    def receive6(self, packet: Packet, device: Device) -> None:
        """An ICMPv6 packet of the guest's."""
        message = icmp.parse6(packet.source, packet.destination, packet.payload)
        source, destination = packet.source, packet.destination
        is_near = destination in self._own or not is_of_the_world(destination)
        if message is None or message.type != icmp.ECHO6 or is_near:
            super().receive6(packet, device)
            return
        identifier = message.rest >> 16

        def answer(data: bytes) -> Packet | None:
            if len(data) < icmp.HEADER or data[0] != icmp.ECHO_REPLY6:  # the kernel has checked the sum (icmp(7))
                return None
            restored = icmp.Message(data[0], data[1], identifier << 16 | int.from_bytes(data[6:8], "big"), data[icmp.HEADER :])
            return Packet(destination, source, icmp.PROTOCOL6, icmp.emit6(destination, source, restored))

        self._pass_on(packet, identifier, IPPROTO_ICMPV6, answer)

    def _pass_on(self, packet: Packet, identifier: int, protocol: int, answer: Answer) -> None:
        address = self._destinations.find(packet.destination, None)
        if not address:
            return
        key = (packet.source, identifier, packet.destination)
        flow = self._flows.find(key, packet, lambda: _connected(SOCK_DGRAM, protocol, address, 0), answer)
        if flow is not None:
            flow.send(packet, packet.payload)


class PublishedUdp:
    """A port of the host that leads to one of the guest's; its peers are known by address and port as the guest sees them."""

    def __init__(self, host: socket, guest: Guest, port: int) -> None:
        self._host = host
        self._guest, self._port = guest, port
        self._peers: OrderedDict[tuple[bytes, int], tuple[str, int]] = OrderedDict()

    def serve(self, loop: Loop) -> None:
        """Take what comes from now on."""
        loop.watch(self._host.fileno(), EPOLLIN, lambda _: self._ready(loop))

    def answer(self, address: bytes, port: int, payload: bytes) -> bool:
        """Send what the guest says to a peer; False: it is none."""
        peer = self._peers.get((address, port))
        if peer is None:
            return False
        with suppress(OSError):  # lost, as datagrams may be
            self._host.sendto(payload, peer)
        return True

    def _ready(self, loop: Loop) -> None:
        stack = loop.stack
        for _ in range(_BURST):
            try:
                data, peer = self._host.recvfrom(_SIZE_MAX)
            except OSError:
                return
            port = peer[1]
            guest, address = self._guest.seen_from(stack, binary(peer[0].partition("%")[0]))
            self._peers[address, port] = peer
            self._peers.move_to_end((address, port))
            if len(self._peers) > _PEERS_MAX:
                self._peers.popitem(last=False)
            payload = udp.emit(address, guest, port, self._port, data)
            stack.now = loop.now()
            stack.ip.send(Packet(address, guest, udp.PROTOCOL, payload))
            stack.drain()
