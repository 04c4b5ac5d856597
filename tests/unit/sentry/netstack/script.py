"""Table-like TCP tests: a stack on a tun-like link whose peer is the test, segment by segment."""

from sentry.netstack.stack import Stack
from sentry.netstack.transport.tcp.options import TcpOptions
from sentry.netstack.wire import ipv4, tcp
from sentry.netstack.wire.checksum import pseudo
from sentry.netstack.wire.packet import Packet
from sentry.netstack.wire.tcp import ACK, FIN, PSH, RST, SYN, URG

HOST, PEER = bytes((10, 0, 0, 2)), bytes((10, 0, 0, 1))
MS, S = 1_000_000, 1_000_000_000
LETTERS = {"S": SYN, "F": FIN, "R": RST, "P": PSH, ".": ACK, "U": URG}


class Script:
    """``send`` is what the peer sends, ``expect`` what our stack must have sent; numbers are relative, as in tcpdump."""

    name, mac, mtu = "tun0", b"", 1500
    cuts_segments = False

    def __init__(self, seed=b"\x07"):
        self.now = 1_000 * S
        self.sent = []
        self.stack = Stack(lambda size: seed * size, None, self.now)
        self.index = self.stack.add_link(self)
        self.stack.add_address(self.index, HOST, 24)
        self.irs, self.iss = 7000, None  # the peer's first number, ours
        self.port, self.host_port = 40000, 80

    def transmit(self, frame):
        packet = ipv4.parse(frame)
        if packet.protocol == tcp.PROTOCOL:
            packet = tcp.parse(packet.payload, pseudo(packet.source, packet.destination, tcp.PROTOCOL),
                               is_checked=len(frame) > self.mtu)  # fmt: skip
        self.sent.append(packet)

    def send(self, letters, seq=0, ack=None, data=b"", window=65535, **options):
        flags = sum(LETTERS[letter] for letter in letters)
        number = 0 if ack is None else ack + (self.iss or 0) & 0xFFFFFFFF
        segment = tcp.Segment(self.port, self.host_port, seq + self.irs & 0xFFFFFFFF, number, flags, window, data)
        for name, value in options.items():
            setattr(segment, name, value)
        data = tcp.emit(segment, pseudo(PEER, HOST, 6))
        self.stack.receive(self.index, ipv4.emit(Packet(PEER, HOST, 6, data), 1, 0), self.now)

    def expect(self, letters, seq=None, ack=None, data=b"", **fields):
        assert self.sent, f"expected {letters}, nothing was sent"
        segment = self.sent.pop(0)
        assert segment.flags == sum(LETTERS[letter] for letter in letters), (letters, segment.flags)
        if segment.flags & SYN:
            self.iss = segment.seq
        if seq is not None:
            assert (segment.seq - self.iss) & 0xFFFFFFFF == seq
        if ack is not None:
            assert (segment.ack - self.irs) & 0xFFFFFFFF == ack
        assert segment.payload == data
        for name, value in fields.items():
            assert getattr(segment, name) == value, (name, getattr(segment, name))
        return segment

    def nothing(self):
        assert not self.sent, [(one.flags, one.seq, one.payload[:20]) for one in self.sent]

    def wait(self, time):
        end = self.now + time
        while (deadline := self.stack.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.stack.poll(self.now)
        self.now = end

    def listen(self, options=None, backlog=8):
        tcp_layer = self.stack.tcp
        self.listener = tcp_layer.listen(tcp_layer.bind(b"", 80, 4), backlog, options)
        return self.listener

    def accept(self, options=None, window=65535, **syn):
        """A connection that the peer opened."""
        self.listen(options)
        self.send("S", window=window, **({"mss": 1000} | syn))
        self.expect("S.", seq=0, ack=1)
        self.send(".", 1, 1, window=window, **({"stamp": syn["stamp"] + 1} if "stamp" in syn else {}))
        return self.listener.accept()

    def connect(self, options=None, **syn):
        """A connection that we opened."""
        c = self.stack.tcp.connect(None, PEER, 40000, self.now, options or TcpOptions())
        self.host_port = c.port
        self.expect("S", seq=0)
        self.send("S.", 0, 1, **({"mss": 1000} | syn))
        self.expect(".", seq=1, ack=1)
        return c
