"""TCP of guests to the outside, and of the outside to published ports.

A guest's SYN is answered once the host's own connect(2) has ended: with a SYN, a RST, or what ICMP says of the error.
"""

import errno
from _socket import SOCK_STREAM, socket
from select import EPOLLIN, EPOLLOUT

from gofer.net.guest import Guest
from gofer.net.loop import Loop
from gofer.net.policy import Destinations
from gofer.net.relay import Relay
from gofer.net.sockets import binary, connect, error_of, family_of, open_socket, refuse, reset
from sentry.netstack.interface import NetError
from sentry.netstack.stack import Stack
from sentry.netstack.transport.ports import Binding
from sentry.netstack.transport.tcp.connection import Connection
from sentry.netstack.transport.tcp.listener import Listener
from sentry.netstack.transport.tcp.options import TcpOptions
from sentry.netstack.transport.tcp.transport import Key, TcpTransport
from sentry.netstack.wire.packet import Packet
from sentry.netstack.wire.tcp import ACK, RST, SYN, Segment

_BACKLOG = 1024
_ACCEPTS_MAX = 16


class Door(Listener):
    """Listens at every address and port: what comes for no connection begins one at the host's side first."""

    def __init__(self, stack: Stack, destinations: Destinations) -> None:
        super().__init__(stack, Binding(b"", 0, 0), _BACKLOG, TcpOptions())
        self.loop: Loop | None = None
        self._destinations = destinations
        self._dialling: dict[Key, socket] = {}

    def receive(self, packet: Packet, segment: Segment) -> None:
        """A SYN dials; a repeated one changes nothing."""
        if segment.flags & (SYN | ACK | RST) != SYN:
            super().receive(packet, segment)
            return
        key = (packet.destination, segment.port, packet.source, segment.source_port)
        if key in self._dialling:
            return
        if len(self._dialling) + len(self.stack.tcp.connections) >= self.stack.limits.connections:
            self.stack.counters.tcp["ListenDrops"] += 1
            return
        address = self._destinations.find(packet.destination, segment.port)
        if not address:
            self.stack.tcp.send_reset_for(packet.destination, packet.source, segment)
            return
        self._dial(key, packet, segment, address)

    def _dial(self, key: Key, packet: Packet, segment: Segment, address: bytes) -> None:
        loop = self.loop
        assert loop is not None
        try:
            host = open_socket(family_of(address), SOCK_STREAM)
        except OSError:
            return  # no descriptors: the guest tries again
        error = connect(host, address, segment.port)
        if error not in (0, errno.EINPROGRESS):
            host.close()
            self._fail(packet, segment, error)
            return
        self._dialling[key] = host
        loop.watch(host.fileno(), EPOLLOUT, lambda _: self._dialled(key, packet, segment))

    def _dialled(self, key: Key, packet: Packet, segment: Segment) -> None:
        loop, host = self.loop, self._dialling.pop(key)
        assert loop is not None
        error = error_of(host)
        if error:
            loop.forget(host.fileno())
            host.close()
            self._fail(packet, segment, error)
            return
        self.stack.now = loop.now()
        super().receive(packet, segment)
        guest = self.stack.tcp.find(*key)
        if guest is None:
            loop.forget(host.fileno())
            reset(host)
            return
        loop.watch(host.fileno(), 0, lambda _: None)
        Relay(loop, guest, host)
        self.stack.drain()

    def _fail(self, packet: Packet, segment: Segment, error: int) -> None:
        if error == errno.ECONNREFUSED:
            self.stack.tcp.send_reset_for(packet.destination, packet.source, segment)
            self.stack.drain()
        else:
            refuse(self.stack, packet, error)

    def establish(self, c: Connection) -> None:
        """The guest's handshake is complete: what the host has sent meanwhile may go."""
        self.half_open.discard(c)
        c.waker.wake(0)


class OutsideTcp(TcpTransport):
    """TCP whose listener is the door."""

    def __init__(self, stack: Stack, destinations: Destinations) -> None:
        super().__init__(stack)
        self.door = Door(stack, destinations)

    def _find_listener(self, local: bytes, port: int, remote: bytes, remote_port: int) -> Listener | None:
        return self.door


class PublishedTcp:
    """A port of the host that leads to one of the guest's."""

    def __init__(self, listener: socket, guest: Guest, port: int) -> None:
        self._listener = listener
        self._guest, self._port = guest, port

    def serve(self, loop: Loop) -> None:
        """Take what comes from now on."""
        loop.watch(self._listener.fileno(), EPOLLIN, lambda _: self._accept(loop))

    def _accept(self, loop: Loop) -> None:
        for _ in range(_ACCEPTS_MAX):
            try:
                fd, peer = self._listener._accept()  # type: ignore[attr-defined]
            except BlockingIOError:
                return
            except OSError:
                return  # it is gone again, or no descriptors are left: the next event tries
            host = socket(fileno=fd)
            host.setblocking(False)
            loop.watch(host.fileno(), 0, lambda _: None)
            try:
                Relay(loop, self._connect(loop, binary(peer[0].partition("%")[0]), int(peer[1])), host)
            except NetError:
                loop.forget(host.fileno())
                reset(host)

    def _connect(self, loop: Loop, address: bytes, port: int) -> Connection:
        """From the peer's own address and port if the guest can answer there, else from the gateway. Errors: as connect."""
        tcp = loop.stack.tcp
        guest, source = self._guest.seen_from(loop.stack, address)
        if source == address:
            binding = Binding(source, port, len(source), can_reuse=True)
            if tcp.ports.take(binding):
                return tcp.connect(binding, guest, self._port, loop.now())
            source = self._guest.gateway_of(guest)
        binding = Binding(source, 0, len(source))
        tcp.ports.take(binding)
        return tcp.connect(binding, guest, self._port, loop.now())
