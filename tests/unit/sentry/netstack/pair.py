"""Two stacks joined by a seeded link that loses, repeats, delays and reorders; the clock is the test's."""

import heapq
import random

from sentry.netstack.interface import MILLISECOND
from sentry.netstack.stack import Stack
from sentry.netstack.wire import ipv4, ipv6, tcp
from sentry.netstack.wire.checksum import pseudo
from sentry.netstack.wire.packet import Packet

ONE4, TWO4 = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
ONE6, TWO6 = b"\xfd" + bytes(14) + b"\x01", b"\xfd" + bytes(14) + b"\x02"


class Wire:
    """One end of the link; with ``cuts_segments`` it makes packets of large segments, as network cards do."""

    def __init__(self, world, name, mac, mtu, cuts_segments):
        self.world, self.name, self.mac, self.mtu, self.cuts_segments = world, name, mac, mtu, cuts_segments
        self.other = None

    def transmit(self, frame):
        for part in [frame] if len(frame) <= self.mtu + 14 * bool(self.mac) else cut(frame, self.mtu, 14 * bool(self.mac)):
            self.world.carry(self.other, part)


def cut(frame, mtu, header):
    """The frames of a large TCP segment. Its checksum has to be the sum of the pseudo-header."""
    is_v4 = frame[header] >> 4 == 4
    packet = (ipv4 if is_v4 else ipv6).parse(frame[header:])
    data, ends = packet.payload, pseudo(packet.source, packet.destination, tcp.PROTOCOL)
    assert int.from_bytes(data[16:18], "big") == (ends + len(data)) % 0xFFFF
    segment = tcp.parse(data, ends, is_checked=True)
    size = mtu - (20 if is_v4 else 40) - (data[12] >> 4) * 4
    whole, options, last = segment.payload, data[20 : (data[12] >> 4) * 4], segment.flags
    for at in range(0, len(whole), size):
        flags = last if at + size >= len(whole) else last & ~(tcp.FIN | tcp.PSH)
        made = tcp.emit_with(segment.source_port, segment.port, segment.seq + at, segment.ack, flags, segment.window,
                             options, whole[at : at + size], ends)  # fmt: skip
        part = Packet(packet.source, packet.destination, tcp.PROTOCOL, made, packet.ttl)
        yield frame[:header] + (ipv4.emit(part, at // size, ipv4.DONT_FRAGMENT) if is_v4 else ipv6.emit(part))


class World:
    """``now`` moves to the next event; ``loss`` and the others are probabilities."""

    def __init__(self, seed=0, *, loss=0.0, duplicate=0.0, jitter=0, delay=MILLISECOND, mtu=1500, is_ethernet=True, limits=None,
                 cuts_segments=False):  # fmt: skip
        self.random = random.Random(seed)
        self.loss, self.duplicate, self.jitter, self.delay = loss, duplicate, jitter, delay
        self.now = 1_000_000_000
        self.events = []
        self.count = 0
        self.trace = []
        self.drop_next = 0
        entropy = self.random.randbytes
        self.one, self.two = Stack(entropy, limits, self.now), Stack(entropy, limits, self.now)
        macs = (b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02") if is_ethernet else (b"", b"")
        self.wires = [Wire(self, "eth0", mac, mtu, cuts_segments) for mac in macs]
        self.ends = [(self.one, self.one.add_link(self.wires[0])), (self.two, self.two.add_link(self.wires[1]))]
        self.wires[0].other, self.wires[1].other = self.ends[1], self.ends[0]
        for (stack, index), v4, v6 in zip(self.ends, (ONE4, TWO4), (ONE6, TWO6), strict=True):
            stack.add_address(index, v4, 24)
            stack.add_address(index, v6, 64)

    def carry(self, end, frame):
        self.trace.append((self.now, end[0] is self.two, frame))
        if self.drop_next:
            self.drop_next -= 1
            return
        for _ in range(1 + (self.random.random() < self.duplicate)):
            if self.random.random() < self.loss:
                continue
            at = self.now + self.delay + (self.random.randrange(self.jitter) if self.jitter else 0)
            self.count += 1
            heapq.heappush(self.events, (at, self.count, end, frame))

    def step(self):
        """Move to the next event; False: there is none."""
        deadlines = [at for at in (self.one.next_deadline(), self.two.next_deadline()) if at is not None]
        if self.events:
            deadlines.append(self.events[0][0])
        if not deadlines:
            return False
        self.now = max(self.now, min(deadlines))
        while self.events and self.events[0][0] <= self.now:
            _, _, (stack, index), frame = heapq.heappop(self.events)
            stack.receive(index, frame, self.now)
        for stack in (self.one, self.two):
            stack.poll(self.now)
        return True

    def run(self, until=None, limit=200_000, seconds=None):
        """Step until the condition holds, or for some seconds."""
        end = None if seconds is None else self.now + int(seconds * 1e9)
        for _ in range(limit):
            if until is not None and until():
                return True
            if end is not None:
                deadlines = [at for at in (self.one.next_deadline(), self.two.next_deadline()) if at is not None]
                deadlines += [self.events[0][0]] if self.events else []
                if not deadlines or min(deadlines) > end:
                    self.now = end
                    return True
            if not self.step():
                return until is None or until()
        return False

    def connect(self, port=80, options=None, server_options=None, source=ONE4, target=TWO4, backlog=8):
        """A client's and a server's end."""
        two = self.two.tcp
        listener = two.listen(two.bind(b"", port, len(target)), backlog, server_options)
        client = self.one.tcp.connect(None, target, port, self.now, options)
        assert self.run(lambda: bool(listener.ready))
        server = listener.accept()
        assert self.run(lambda: client.state == 1)
        return client, server, listener

    def transfer(self, sender, receiver, data, limit=400_000):
        """Send all of ``data``; returns what arrived."""
        sent, got = 0, bytearray()
        for _ in range(limit):
            if sent < len(data):
                sent += sender.send(data[sent : sent + 65536], self.now)
            while (chunk := receiver.receive(65536, self.now)) is not None:
                got += chunk
                if not chunk:
                    break
            if len(got) >= len(data):
                break
            if not self.step():
                break
        return bytes(got)
