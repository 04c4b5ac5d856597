"""UDP from outside to the guests' sockets, and what ICMP tells of it (udp(7)). Linux: __udp4_lib_rcv(), udp_err()."""

from typing import TYPE_CHECKING

from sentry.netstack.wire import icmp, udp
from sentry.socket.inet.address import ANY4, ANY6, MAPPED, Endpoint
from sentry.socket.inet.control import Datagram
from sentry.socket.inet.error_queue import Report
from sentry.socket.inet.udp import UdpSocket, best, fitting

if TYPE_CHECKING:
    from sentry.kernel.net_namespace import NetNamespace
    from sentry.netstack.iface.icmp import IcmpError
    from sentry.netstack.stack import Stack
    from sentry.netstack.wire.packet import Packet


def endpoint(address: bytes, port: int) -> Endpoint:
    """An endpoint from the stack's address."""
    return Endpoint(MAPPED + address if len(address) == 4 else address, port)


class UdpReceiver:
    """The stack's transport for protocol 17."""

    def __init__(self, net: "NetNamespace", stack: "Stack") -> None:
        self.net = net
        self.stack = stack

    def receive(self, packet: "Packet") -> None:
        """A UDP packet for us; nobody there is answered."""
        stack, counters = self.stack, self.stack.counters.udp
        parsed = udp.parse(packet.source, packet.destination, packet.payload)
        if parsed is None:
            counters["InErrors"] += 1
            return
        source_port, port, payload = parsed
        origin, destination = endpoint(packet.source, source_port), endpoint(packet.destination, port)
        found = fitting(self.net.udp_ports, destination, origin, packet.interface)
        is_unicast = stack.is_local(packet.destination)
        if not found:
            counters["NoPorts"] += 1
            if is_unicast:
                stack.icmp.send_unreachable(packet, icmp.PORT_UNREACHABLE, icmp.PORT_UNREACHABLE6)
            return
        if self.net.policy is not None and is_unicast:
            self.net.policy.heard(packet.source, source_port, port, payload)
        journal = self.net.outside.journal
        if journal is not None:
            journal.received(udp.PROTOCOL, port, packet.source, source_port, len(payload))
        datagram = Datagram(payload, origin, destination, packet.ttl, packet.tos, 0, packet.interface)
        for socket in best(found, destination) if is_unicast else found:
            counters["InDatagrams"] += 1
            socket.deliver(datagram)

    def handle_error(self, local: bytes, remote: bytes, quoted: bytes, error: "IcmpError") -> None:
        """An ICMP error for a datagram of ours."""
        source_port, port = int.from_bytes(quoted[:2], "big"), int.from_bytes(quoted[2:4], "big")
        own, destination = endpoint(local, source_port), endpoint(remote, port)
        table = self.net.udp_ports
        sockets = [
            socket
            for socket in (table.on(source_port) if table is not None else ())
            if isinstance(socket, UdpSocket)
            and socket.local.address in (ANY4, ANY6, own.address)
            and socket.remote in (None, destination)
        ]
        if error.mtu and sockets:
            path = self.stack.ip.route(remote)
            if path is not None:
                self.stack.path_mtus.lower(remote, error.mtu, self.stack.ip.mtu(remote, path), self.stack.now)
        report = Report(error.errno, quoted[8:], destination, error.type, error.code, error.mtu, endpoint(error.offender, 0))
        for socket in sockets:
            socket.take_report(report, is_fatal=error.is_fatal)
