"""A listening endpoint: half-open connections and those that wait for accept, both limited (RFC 4987)."""

from collections import deque
from typing import TYPE_CHECKING

from sentry.netstack.interface import POLLIN, NobodyWaits, Waker
from sentry.netstack.transport.ports import Binding
from sentry.netstack.transport.tcp import input, output
from sentry.netstack.transport.tcp.options import TcpOptions
from sentry.netstack.transport.tcp.state import SYN_RECV
from sentry.netstack.wire.packet import Packet
from sentry.netstack.wire.tcp import ACK, RST, SYN, Segment

if TYPE_CHECKING:
    from sentry.netstack.stack import Stack
    from sentry.netstack.transport.tcp.connection import Connection

_HALF_OPEN_MIN = 16


class Listener:
    """``half_open`` wait for the third segment, ``ready`` for accept; a full backlog drops and lets the peer try again."""

    def __init__(self, stack: "Stack", binding: Binding, backlog: int, options: TcpOptions) -> None:
        self.stack = stack
        self.binding = binding
        self.backlog = backlog
        self.options = options
        self.waker: Waker = NobodyWaits()
        self.half_open: set[Connection] = set()
        self.ready: deque[Connection] = deque()

    def has_room(self) -> bool:
        """Whether accept's queue takes one more (Linux: sk_acceptq_is_full())."""
        return len(self.ready) <= min(self.backlog, self.stack.limits.listen_backlog)

    def readiness(self) -> int:
        """POLLIN when accept has something."""
        return POLLIN if self.ready else 0

    def receive(self, packet: Packet, segment: Segment) -> None:
        """A segment for no connection (RFC 9293 section 3.10.7.2)."""
        if segment.flags & RST:
            return
        if segment.flags & ACK:
            self.stack.tcp.send_reset_for(packet.destination, packet.source, segment)
            return
        if not segment.flags & SYN:
            return
        half_open_max = max(min(self.backlog, self.stack.limits.listen_backlog), _HALF_OPEN_MIN)
        if not self.has_room() or len(self.half_open) >= half_open_max or not self.stack.tcp.has_space():
            self.stack.counters.tcp["ListenDrops"] += 1
            return
        c = self.stack.tcp.make(packet.destination, segment.port, packet.source, segment.source_port, self.options)
        c.listener = self
        self.half_open.add(c)
        c.state = SYN_RECV
        input.take_syn(c, segment)
        output.send_syn(c)

    def establish(self, c: "Connection") -> None:
        """The handshake is complete."""
        self.half_open.discard(c)
        self.ready.append(c)
        self.stack.counters.tcp["PassiveOpens"] += 1
        self.waker.wake(POLLIN)

    def accept(self) -> "Connection | None":
        """The oldest connection; None: there is none."""
        return self.ready.popleft() if self.ready else None

    def close(self, now: int) -> None:
        """Stop listening; what nobody accepted is reset."""
        self.stack.now = now
        self.stack.tcp.remove_listener(self)
        for c in tuple(self.half_open):
            c.finish(0)
        while self.ready:
            self.ready.popleft().abort(now)
        self.stack.drain()
