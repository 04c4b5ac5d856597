"""TCP's tables: connections by their four numbers, listeners by port; what belongs to none is reset (RFC 9293 section 3.5.2)."""

from dataclasses import replace
from errno import EADDRINUSE, EADDRNOTAVAIL, ECONNREFUSED, EINVAL, EMSGSIZE, ENETUNREACH, ENOBUFS
from hashlib import blake2s
from typing import TYPE_CHECKING, Protocol

from sentry.netstack.iface import address as addresses
from sentry.netstack.iface.icmp import IcmpError
from sentry.netstack.interface import NetError
from sentry.netstack.transport.ports import Binding, PortTable
from sentry.netstack.transport.tcp import input, output
from sentry.netstack.transport.tcp.connection import Connection
from sentry.netstack.transport.tcp.listener import Listener
from sentry.netstack.transport.tcp.options import TIME_WAIT as TIME_WAIT_TIME
from sentry.netstack.transport.tcp.options import TcpOptions
from sentry.netstack.transport.tcp.sequence import is_older, widen
from sentry.netstack.transport.tcp.state import SYN_RECV, SYN_SENT, TIME_WAIT
from sentry.netstack.wire import tcp as wire
from sentry.netstack.wire.checksum import pseudo
from sentry.netstack.wire.packet import Packet
from sentry.netstack.wire.tcp import ACK, RST, SYN, Segment

if TYPE_CHECKING:
    from sentry.netstack.stack import Stack

Key = tuple[bytes, int, bytes, int]


class Observer(Protocol):
    """What hears of connections; ``ended`` may come twice, for one that goes through TIME_WAIT."""

    def began(self, c: Connection) -> None:
        """A connection was made."""

    def ended(self, c: Connection) -> None:
        """Nothing more will be said on a connection."""


class TcpTransport:
    """All of TCP in a stack; ``time_wait`` is how long an end stays (nanoseconds)."""

    def __init__(self, stack: "Stack") -> None:
        self.stack = stack
        self.ports = PortTable(stack.entropy)
        self.connections: dict[Key, Connection] = {}
        self.listeners: dict[int, list[Listener]] = {}
        self.secret = stack.entropy(32)
        self.time_wait = TIME_WAIT_TIME
        self.tuned = 0  # by how many bytes buffers have grown beyond their first size
        self.waiting: set[Connection] = set()  # those in TIME_WAIT
        self.observer: Observer | None = None

    # --- what a socket does --------------------------------------------------------------------------------------------------

    def bind(self, address: bytes, port: int, family: int, *, can_reuse: bool = False, can_share: bool = False) -> Binding:
        """Take a port, a free one where it is 0; ``family`` 4, 16, or 0 for both. Errors: EADDRNOTAVAIL, EADDRINUSE."""
        if address and not self.stack.is_local(address):
            raise NetError(EADDRNOTAVAIL)
        binding = Binding(address, port, len(address) or family, can_reuse, can_share)
        if not self.ports.take(binding):
            raise NetError(EADDRINUSE)
        return binding

    def listen(self, binding: Binding, backlog: int, options: TcpOptions | None = None) -> Listener:
        """Accept connections to a binding. Errors: EADDRINUSE another listens there."""
        there = self.listeners.setdefault(binding.port, [])
        for other in there:
            same = other.binding.address == binding.address and other.binding.family == binding.family
            if same and not (other.binding.can_share and binding.can_share):
                raise NetError(EADDRINUSE)
        listener = Listener(self.stack, binding, backlog, options or TcpOptions())
        there.append(listener)
        return listener

    def connect(
        self, binding: Binding | None, remote: bytes, port: int, now: int, options: TcpOptions | None = None
    ) -> Connection:
        """Begin a connection, from a free port where there is no binding; POLLOUT tells of its end.

        Errors: ENETUNREACH, EADDRNOTAVAIL the four numbers are taken or no port is left, ENOBUFS, EINVAL.
        """
        stack = self.stack
        stack.now = now
        options = options or TcpOptions()
        path = stack.ip.route(remote, options.device)
        if path is None or addresses.is_multicast(remote) or remote == addresses.BROADCAST4:
            raise NetError(ENETUNREACH)
        if not port:
            raise NetError(EINVAL)
        if not self.has_space():
            raise NetError(ENOBUFS)
        own = binding if binding is not None else Binding(b"", 0, len(remote))
        if binding is None and not self.ports.take(own):
            raise NetError(EADDRNOTAVAIL)
        local = own.address or path.source
        if (local, own.port, remote, port) in self.connections:
            if binding is None:
                self.ports.release(own)
            raise NetError(EADDRNOTAVAIL)
        c = self.make(local, own.port, remote, port, options)
        c.binding = own
        c.state = SYN_SENT
        stack.counters.tcp["ActiveOpens"] += 1
        output.send_syn(c)
        stack.drain()
        return c

    # --- tables --------------------------------------------------------------------------------------------------------------

    def make(self, local: bytes, port: int, remote: bytes, remote_port: int, options: TcpOptions) -> Connection:
        """A connection in the tables, with its own copy of the options."""
        c = Connection(self.stack, local, port, remote, remote_port, replace(options))
        self.connections[local, port, remote, remote_port] = c
        if self.observer is not None:
            self.observer.began(c)
        return c

    def find(self, local: bytes, port: int, remote: bytes, remote_port: int) -> Connection | None:
        """The connection between two ends."""
        return self.connections.get((local, port, remote, remote_port))

    def has(self, c: Connection) -> bool:
        """Whether a connection is in the tables."""
        return self.connections.get((c.local, c.port, c.remote, c.remote_port)) is c

    def has_space(self) -> bool:
        """Whether one more connection may be."""
        return len(self.connections) < self.stack.limits.connections

    def forget(self, c: Connection) -> None:
        """Take a connection out of the tables, and give its port back if it alone had it."""
        if self.has(c):
            del self.connections[c.local, c.port, c.remote, c.remote_port]
            if self.observer is not None:
                self.observer.ended(c)
        self.waiting.discard(c)
        if c.listener is not None:
            c.listener.half_open.discard(c)
        if c.binding is not None:
            self.ports.release(c.binding)
            c.binding = None

    def remove_listener(self, listener: Listener) -> None:
        """Take a listener out of the table and give its port back."""
        there = self.listeners.get(listener.binding.port, [])
        if listener in there:
            there.remove(listener)
        if not there:
            self.listeners.pop(listener.binding.port, None)
        self.ports.release(listener.binding)

    def enter_time_wait(self, c: Connection) -> None:
        """Enter TIME_WAIT, or CLOSED where too many are there (Linux: tcp_max_tw_buckets)."""
        c.state = TIME_WAIT
        if self.observer is not None:
            self.observer.ended(c)
        self.waiting.add(c)
        if len(self.waiting) > self.stack.limits.time_wait:
            self.stack.counters.tcp["TCPTimeWaitOverflow"] += 1
            c.finish(0)
            return
        c.retransmit_timer.clear()
        c.idle_timer.set(self.stack.now + self.time_wait)

    def initial_sequence(self, local: bytes, port: int, remote: bytes, remote_port: int) -> int:
        """RFC 6528 section 3: a clock of 4 microseconds plus a secret function of the ends."""
        text = b"".join((local, port.to_bytes(2, "big"), remote, remote_port.to_bytes(2, "big")))
        digest = blake2s(text, key=self.secret, digest_size=4).digest()
        return (int.from_bytes(digest, "big") + self.stack.now // 4000 & 0xFFFFFFFF) + (1 << 32)

    def mtu(self, remote: bytes, device: int) -> int:
        """The MTU towards a peer."""
        path = self.stack.ip.route(remote, device)
        return 1280 if path is None else self.stack.ip.mtu(remote, path)

    # --- what comes in -------------------------------------------------------------------------------------------------------

    def receive(self, packet: Packet) -> None:
        """A TCP packet for us."""
        counters = self.stack.counters.tcp
        counters["InSegs"] += 1
        local, remote = packet.destination, packet.source
        segment = wire.parse(packet.payload, pseudo(remote, local, wire.PROTOCOL), is_checked=packet.is_checked)
        if segment is None:
            counters["InErrs"] += 1
            return
        if not self.stack.is_local(local):
            return  # RFC 9293 MUST-57: not to a group
        c = self.connections.get((local, segment.port, remote, segment.source_port))
        if c is not None and not (c.state == TIME_WAIT and self._may_reopen(c, segment)):
            input.receive(c, segment)
            return
        if c is not None:
            c.finish(0)
        listener = self._find_listener(local, segment.port, remote, segment.source_port)
        if listener is not None:
            listener.receive(packet, segment)
        elif not segment.flags & RST:
            self.send_reset_for(local, remote, segment)

    @staticmethod
    def _may_reopen(c: Connection, segment: Segment) -> bool:
        """Whether a SYN begins a new connection out of TIME_WAIT (RFC 6191 section 2, RFC 9293 MAY-2)."""
        if segment.flags & (SYN | ACK | RST) != SYN:
            return False
        if c.has_stamps and segment.stamp is not None and segment.stamp != c.stamp_recent:
            return not is_older(segment.stamp, c.stamp_recent)
        return widen(segment.seq, c.rcv_nxt) > c.rcv_nxt

    def _find_listener(self, local: bytes, port: int, remote: bytes, remote_port: int) -> Listener | None:
        """The listener for a packet: an exact address before "any"; those that share a port are chosen by a hash."""
        found = [one for one in self.listeners.get(port, ()) if one.binding.address in (b"", local)]
        found = [one for one in found if one.binding.family in (0, len(local))]
        exact = [one for one in found if one.binding.address] or found
        if len(exact) <= 1:
            return exact[0] if exact else None
        return exact[(int.from_bytes(remote, "big") + remote_port) % len(exact)]

    def send_reset_for(self, local: bytes, remote: bytes, segment: Segment) -> None:
        """Answer a segment with a RST (RFC 9293 section 3.10.7.1)."""
        if segment.flags & ACK:
            reset = Segment(segment.port, segment.source_port, segment.ack, 0, RST, 0, b"")
        else:
            ack = segment.seq + segment.length & 0xFFFFFFFF
            reset = Segment(segment.port, segment.source_port, 0, ack, RST | ACK, 0, b"")
        self.stack.counters.tcp["OutRsts"] += 1
        data = wire.emit(reset, pseudo(local, remote, wire.PROTOCOL))
        self.stack.ip.send(Packet(local, remote, wire.PROTOCOL, data))

    def handle_error(self, local: bytes, remote: bytes, quoted: bytes, error: IcmpError) -> None:
        """An ICMP error for a segment of ours, if it is in flight (RFC 5927 section 4.1)."""
        c = self.connections.get((local, int.from_bytes(quoted[:2], "big"), remote, int.from_bytes(quoted[2:4], "big")))
        if c is None or c.peer is not None:
            return
        seq = widen(int.from_bytes(quoted[4:8], "big"), c.snd_una)
        if not c.snd_una <= seq <= c.snd_nxt:
            self.stack.counters.tcp["OutOfWindowIcmps"] += 1
            return
        if error.errno == EMSGSIZE:
            self._lower_mtu(c, error.mtu)
        elif c.state in (SYN_SENT, SYN_RECV) and (error.is_fatal or error.errno != ECONNREFUSED):
            c.finish(error.errno)
        else:
            c.soft_error = error.errno

    def _lower_mtu(self, c: Connection, mtu: int) -> None:
        """The path's MTU is smaller: what was too large is sent again in smaller segments (RFC 1191 section 6.4)."""
        lowered = self.stack.path_mtus.lower(c.remote, mtu, c.mtu, self.stack.now)
        if lowered is None:
            return
        c.mtu = lowered
        c.set_mss()
        for record in c.board.records:
            if record.end - record.seq > c.mss:
                c.board.lose(record)
        c.board.hint = 0
        output.output(c)
