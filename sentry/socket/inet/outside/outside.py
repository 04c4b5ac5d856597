"""How sockets reach the outside: the stack's addresses and routes in the sockets' words, packets out, and who gets what comes in.

Ports have one truth, the tables of ``sentry.socket.inet.ports``: of the stack's transports only TCP's connections and listeners
are used. The sandbox's own addresses never reach the stack: such sockets hand over buffers.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sentry.netstack.egress.stream import QuestionStream
from sentry.netstack.transport.tcp.connection import EVERYTHING
from sentry.netstack.wire import icmp, udp
from sentry.netstack.wire.packet import Packet
from sentry.socket.inet.address import ANY4, ANY6, MAPPED
from sentry.socket.inet.control import Datagram
from sentry.socket.inet.outside import tcp
from sentry.socket.inet.outside.icmp import IcmpReceiver
from sentry.socket.inet.outside.udp import UdpReceiver
from syscalls.abi import socket as abi
from syscalls.abi.errno import ECONNREFUSED, EINVAL, ENETDOWN, EPERM
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.net_namespace import NetNamespace
    from sentry.netstack.stack import Stack
    from sentry.socket.inet.address import Endpoint
    from sentry.socket.inet.base import InetSocket
    from sentry.socket.inet.outside.journal import Journal
    from sentry.socket.inet.tcp import TcpSocket

_DISCOVER = {4: (abi.IPPROTO_IP, abi.IP_MTU_DISCOVER), 16: (abi.IPPROTO_IPV6, abi.IPV6_MTU_DISCOVER)}
_DO, _PROBE = 2, 3  # IP_PMTUDISC_*


def to_wire(address: bytes) -> bytes:
    """A socket's address as the stack has it: 4 bytes of IPv4, none for "any"."""
    if address in (ANY4, ANY6):
        return b""
    return address[12:] if address.startswith(MAPPED) else address


def from_wire(address: bytes) -> bytes:
    """The stack's address as sockets have it."""
    return MAPPED + address if len(address) == 4 else address


class Outside:
    """One of a network namespace; ``clock`` gives the stack's nanoseconds.

    ``is_near``: the other side of the link ends the connections itself (passt does) and drops what its socket has no room for. So
    windows are not tuned: they would only grow beyond that room, and what is dropped there comes again after seconds.
    """

    def __init__(self, net: "NetNamespace", stack: "Stack", clock: Callable[[], int], *, is_near: bool = False) -> None:
        self.is_near = is_near
        self.net = net
        self.stack = stack
        self.clock = clock
        self.journal: Journal | None = None
        icmp_receiver = IcmpReceiver(net, stack)
        stack.transports[udp.PROTOCOL] = UdpReceiver(net, stack)
        stack.transports[icmp.PROTOCOL4] = stack.transports[icmp.PROTOCOL6] = icmp_receiver
        stack.raw = icmp_receiver  # type: ignore[assignment]

    def is_own(self, address: bytes) -> bool:
        """Whether a device has the address."""
        return to_wire(address) in self.stack.local

    def is_broadcast(self, address: bytes) -> bool:
        """Whether it is the broadcast address of a network that a device is in."""
        return any(to_wire(address) in device.broadcasts for device in self.stack.devices.values())

    def source_for(self, address: bytes, device: int) -> bytes | None:
        """The address that what goes to ``address`` is sent from; None: no way leads there."""
        path = self.stack.ip.route(to_wire(address), device)
        return None if path is None else from_wire(path.source)

    def _device_to(self, address: bytes) -> int:
        path = self.stack.ip.route(address)
        return 0 if path is None else path.device.index

    def mtu(self, address: bytes, device: int) -> int:
        """What the path to ``address`` carries, as far as it is known."""
        path = self.stack.ip.route(to_wire(address), device)
        return 1280 if path is None else self.stack.ip.mtu(to_wire(address), path)

    def send_datagram(
        self, socket: "InetSocket", data: bytes, origin: "Endpoint", destination: "Endpoint", ttl: int, tos: int
    ) -> None:
        """Send a UDP datagram; a question that the policy answers itself stays here.

        Errors: EPERM the policy (as netfilter's REJECT), EINVAL a source of lo, ENETUNREACH, EMSGSIZE.
        """
        source, to = to_wire(origin.address), to_wire(destination.address)
        policy = self.net.policy
        if policy is not None:
            if policy.is_resolver(udp.PROTOCOL, to, destination.port):
                answer = policy.ask(origin.port, to, data)
                if answer is None:
                    raise SyscallError(EPERM)
                if answer:
                    socket.deliver(Datagram(answer, destination, origin, interface=self._device_to(to)))  # type: ignore[attr-defined]
                    return
            elif not policy.permits(udp.PROTOCOL, to, destination.port, origin.port):
                raise SyscallError(EPERM)
        message = udp.emit(source, to, origin.port, destination.port, data)
        self.stack.counters.udp["OutDatagrams"] += 1
        self._send(socket, udp.PROTOCOL, message, origin, destination, ttl, tos)
        if self.journal is not None:
            self.journal.sent(udp.PROTOCOL, origin.port, to, destination.port, len(data))

    def send(
        self, socket: "InetSocket", protocol: int, message: bytes, origin: "Endpoint", destination: "Endpoint", ttl: int, tos: int
    ) -> None:
        """Send a message of any protocol that a program made. Errors: EPERM, EINVAL a source of lo, ENETUNREACH, EMSGSIZE."""
        policy = self.net.policy
        if policy is not None and not policy.permits_packet(protocol, to_wire(destination.address), message):
            raise SyscallError(EPERM)
        self._send(socket, protocol, message, origin, destination, ttl, tos)
        if self.journal is not None:
            self.journal.sent(protocol, -1, to_wire(destination.address), -1, len(message))

    def _send(
        self, socket: "InetSocket", protocol: int, message: bytes, origin: "Endpoint", destination: "Endpoint", ttl: int, tos: int
    ) -> None:
        stack = self.stack
        source, to = to_wire(origin.address), to_wire(destination.address)
        if len(source) != len(to):
            raise SyscallError(EINVAL)
        is_whole = socket.values.get(_DISCOVER[len(to)]) in (_DO, _PROBE)
        stack.now = self.clock()
        errno = stack.ip.send(Packet(source, to, protocol, message, ttl, tos), socket.device, dont_fragment=is_whole)
        stack.drain()
        if errno:
            raise SyscallError(errno)

    def connect(self, socket: "TcpSocket", destination: "Endpoint") -> None:
        """Begin a TCP connection. Errors: ECONNREFUSED the policy (as netfilter's REJECT), and those of ``tcp.begin``."""
        policy, to = self.net.policy, to_wire(destination.address)
        if policy is None:
            tcp.begin(self, socket, destination)
            return
        if not policy.permits(abi.IPPROTO_TCP, to, destination.port):
            raise SyscallError(ECONNREFUSED)
        inspector = QuestionStream(policy, to) if policy.is_resolver(abi.IPPROTO_TCP, to, destination.port) else None
        tcp.begin(self, socket, destination, inspector)

    def holds(self, endpoint: "Endpoint", *, can_reuse: bool) -> bool:
        """Whether a connection whose socket is closed (TIME_WAIT and before) keeps a port from being bound."""
        return tcp.holds(self.stack, endpoint, can_reuse=can_reuse)

    def listen(self, socket: "TcpSocket") -> None:
        """Let a listening socket have connections from outside as well. Errors: EADDRINUSE."""
        tcp.listen(self, socket)

    def close(self) -> None:
        """The sandbox ends: what is open is logged. Nothing is sent any more."""
        if self.journal is not None:
            self.journal.close()

    def fail(self) -> None:
        """The link is lost: connections end, and whoever waits for a partner outside is told. Errors: none."""
        for connection in tuple(self.stack.tcp.connections.values()):
            connection.finish(ENETDOWN)
        for table in (self.net.udp_ports, self.net.ping_ports):
            for socket in table or ():
                if socket.remote is not None and not socket.is_local(socket.remote.address):
                    socket.error = ENETDOWN
                    socket.queue.wake(EVERYTHING)
