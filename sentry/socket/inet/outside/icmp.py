"""Raw and ping sockets outside: copies of packets, echo replies and errors (raw(7), icmp(7)); stands in for the stack's own."""

from typing import TYPE_CHECKING

from sentry.socket.inet import icmp
from sentry.socket.inet.control import Datagram
from sentry.socket.inet.error_queue import Report
from sentry.socket.inet.icmp import PingSocket
from sentry.socket.inet.outside.udp import endpoint
from syscalls.abi.socket import AF_INET

if TYPE_CHECKING:
    from sentry.kernel.net_namespace import NetNamespace
    from sentry.netstack.iface.icmp import IcmpError
    from sentry.netstack.stack import Stack
    from sentry.netstack.wire.icmp import Message
    from sentry.netstack.wire.packet import Packet


class IcmpReceiver:
    """What the stack calls for raw packets and for ICMP of ours."""

    def __init__(self, net: "NetNamespace", stack: "Stack") -> None:
        self.net = net
        self.stack = stack

    def receive(self, packet: "Packet") -> None:
        """ICMP is received by the ICMP layer; this is only for the table of transports."""

    def copy(self, packet: "Packet") -> bool:
        """Give copies of a packet to the raw sockets; True: somebody took it."""
        sockets = tuple(self.net.raw_sockets)
        if not sockets:
            return False
        message = _datagram(packet)
        is_taken = False
        for socket in sockets:
            if socket.protocol == packet.protocol and socket.device in (0, packet.interface):
                socket.hear(packet.protocol, message)
                is_taken = True
        return is_taken

    def receive_echo_reply(self, packet: "Packet", message: "Message") -> None:
        """Give an answer to the ping socket that asked."""
        journal = self.net.outside.journal
        if journal is not None:
            journal.received(packet.protocol, -1, packet.source, -1, len(packet.payload))
        icmp.hear(self.net, _datagram(packet))

    def handle_error(self, local: bytes, remote: bytes, quoted: bytes, error: "IcmpError") -> None:
        """An ICMP error for an echo request of ours."""
        if self.net.ping_ports is None:
            return
        destination = endpoint(remote, 0)
        report = Report(error.errno, quoted, destination, error.type, error.code, error.mtu, endpoint(error.offender, 0))
        for socket in self.net.ping_ports.on(int.from_bytes(quoted[4:6], "big")):
            if isinstance(socket, PingSocket) and (socket.family == AF_INET) == (len(local) == 4):
                socket.take_report(report, is_fatal=error.is_fatal)


def _datagram(packet: "Packet") -> Datagram:
    ends = endpoint(packet.source, 0), endpoint(packet.destination, 0)
    return Datagram(packet.payload, *ends, packet.ttl, packet.tos, 0, packet.interface)
