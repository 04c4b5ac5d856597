"""Hostile packets: whatever the bytes, nothing is raised, and what is held stays within the limits."""

import struct

import netstack_pair as pair
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentry.netstack.interface import Limits
from sentry.netstack.transport.tcp.options import TcpOptions
from sentry.netstack.wire import arp, ethernet, icmp, ipv4, ipv6, tcp, udp
from sentry.netstack.wire.checksum import checksum, pseudo
from sentry.netstack.wire.packet import Packet

pytestmark = pytest.mark.slow
MAC = b"\x02\0\0\0\0\x02"
ADDRESS4 = st.sampled_from([pair.ONE4, pair.TWO4, b"\xff" * 4, b"\xe0\0\0\x01", bytes(4), b"\x7f\0\0\x01"])
ADDRESS6 = st.sampled_from([pair.ONE6, pair.TWO6, b"\xff\x02" + bytes(13) + b"\x01", bytes(16)])


def world():
    made = pair.World(limits=Limits(reassembly_bytes=100_000, neighbours=16, connections=64))
    for stack in (made.one, made.two):
        stack.tcp.listen(stack.tcp.bind(b"", 80, 0), 4)
        stack.udp.create(0).bind(b"", 53)
        stack.raw.create(4, 17)
    return made


def feed(made, type, data):
    stack, index = made.ends[1]
    stack.receive(index, ethernet.emit(MAC, b"\x02\0\0\0\0\x01", type, data), made.now)
    made.now += 1_000_000
    assert stack.reassembler.size <= 101_000
    assert len(stack.neighbours.entries) <= 16
    assert len(stack.tcp.connections) <= 64


@pytest.fixture(scope="module")
def victim():
    return world()


@settings(max_examples=300, deadline=None)
@given(frame=st.binary(max_size=200))
def test_any_frame(victim, frame):
    stack, index = victim.ends[1]
    stack.receive(index, frame, victim.now)
    stack.receive(index, MAC + frame, victim.now)
    stack.receive(index, frame, victim.now, is_checked=True)


@settings(max_examples=300, deadline=None)
@given(
    type=st.sampled_from([0x800, 0x806, 0x86DD]), data=st.binary(max_size=120), first=st.sampled_from([0x45, 0x46, 0x4F, 0x60])
)
def test_any_packet(victim, type, data, first):
    feed(victim, type, bytes((first,)) + data)


@settings(max_examples=400, deadline=None)
@given(
    source=ADDRESS4, destination=ADDRESS4, protocol=st.sampled_from([1, 2, 6, 17, 47, 58]), payload=st.binary(max_size=100),
    fragment=st.sampled_from([0, 0, 0x2000, 0x2001, 1, 0x3FFF, 0x1FFF]), identification=st.integers(0, 3),
)  # fmt: skip
def test_any_ipv4_payload(victim, source, destination, protocol, payload, fragment, identification):
    if protocol == 1 and len(payload) > 4:
        payload = payload[:2] + b"\0\0" + payload[4:]
        payload = payload[:2] + checksum(payload).to_bytes(2, "big") + payload[4:]
    packet = Packet(source, destination, protocol, payload)
    feed(victim, 0x800, ipv4.emit(packet, identification, fragment))


@settings(max_examples=400, deadline=None)
@given(
    source=ADDRESS6, destination=ADDRESS6, kind=st.sampled_from([0, 43, 44, 50, 51, 59, 60, 6, 17, 58]),
    payload=st.binary(max_size=100), next=st.sampled_from([0, 44, 43, 60, 6, 17, 58, 59]),
)  # fmt: skip
def test_any_ipv6_chain(victim, source, destination, kind, payload, next):
    feed(victim, 0x86DD, ipv6.emit(Packet(source, destination, kind, bytes((next, 0)) + payload)))


@settings(max_examples=300, deadline=None)
@given(
    type=st.sampled_from([1, 2, 3, 4, 128, 129, 133, 134, 135, 136, 137]), code=st.integers(0, 7),
    rest=st.integers(0, 0xFFFFFFFF),
    body=st.binary(max_size=120), hops=st.sampled_from([64, 255]),
)  # fmt: skip
def test_any_icmpv6_message(victim, type, code, rest, body, hops):
    data = icmp.emit6(pair.ONE6, pair.TWO6, icmp.Message(type, code, rest, body))
    feed(victim, 0x86DD, ipv6.emit(Packet(pair.ONE6, pair.TWO6, 58, data, ttl=hops)))


@settings(max_examples=400, deadline=None)
@given(
    port=st.sampled_from([80, 81, 1000]), source_port=st.integers(1, 4), seq=st.integers(0, 0xFFFFFFFF),
    ack=st.integers(0, 0xFFFFFFFF),
    flags=st.integers(0, 255), window=st.integers(0, 0xFFFF), options=st.binary(max_size=40), payload=st.binary(max_size=50),
)  # fmt: skip
def test_any_tcp_segment(victim, port, source_port, seq, ack, flags, window, options, payload):
    options += bytes(-len(options) % 4)
    total = pseudo(pair.ONE4, pair.TWO4, 6)
    data = tcp.emit_with(source_port, port, seq, ack, flags, window, options, payload, total)
    feed(victim, 0x800, ipv4.emit(Packet(pair.ONE4, pair.TWO4, 6, data), 1, 0))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1 << 30), position=st.integers(0, 70), value=st.integers(0, 255))
def test_damaged_segments_of_a_connection(seed, position, value):
    made = pair.World(seed)
    client, _, _ = made.connect()
    carry = made.carry

    def damage(end, frame):
        if made.random.random() < 0.2 and position < len(frame):
            frame = frame[:position] + bytes((value,)) + frame[position + 1 :]
        carry(end, frame)

    made.carry = damage
    client.send(b"x" * 5000, made.now)
    made.run(seconds=20)


@given(data=st.binary(max_size=80))
def test_parsers_never_raise(data):
    arp.parse(data)
    ethernet.parse(data)
    ipv4.parse(data)
    ipv4.has_good_options(data)
    ipv6.parse(data)
    tcp.parse(data, 0)
    udp.parse(bytes(4), bytes(4), data)
    icmp.parse4(data)
    icmp.parse6(bytes(16), bytes(16), data)


@given(seq=st.integers(0, 0xFFFFFFFF), window=st.integers(0, 0xFFFF), payload=st.binary(max_size=50),
       stamp=st.integers(0, 0xFFFFFFFF), mss=st.integers(0, 0xFFFF), scale=st.integers(0, 14))  # fmt: skip
def test_a_segment_can_be_read_back(seq, window, payload, stamp, mss, scale):
    segment = tcp.Segment(1, 2, seq, 5, tcp.SYN | tcp.ACK, window, payload)
    segment.stamp, segment.mss, segment.scale, segment.is_sack_permitted = stamp, mss, scale, True
    again = tcp.parse(tcp.emit(segment, 77), 77)
    assert all(getattr(again, name) == getattr(segment, name) for name in tcp.Segment.__slots__)


def test_nested_atomic_fragments_do_not_recurse():
    made = world()
    chain = struct.pack(">BBHI", 44, 0, 0, 1) * 8000
    feed(made, 0x86DD, ipv6.emit(Packet(pair.ONE6, pair.TWO6, 44, chain)))
    assert made.two.counters.ip6["InHdrErrors"] == 1


def test_a_flood_of_fragments_stays_within_its_bytes():
    made = world()
    for identification in range(3000):
        feed(made, 0x800, ipv4.emit(Packet(pair.ONE4, pair.TWO4, 17, bytes(800)), identification, 0x2000))
    assert made.two.counters.ip["ReasmFails"] > 2000


def test_a_flood_of_syns_fills_one_listener_only():
    made = world()
    for port in range(1000, 3000):
        data = tcp.emit_with(port, 80, 1, 0, tcp.SYN, 100, b"", b"", pseudo(pair.ONE4, pair.TWO4, 6))
        feed(made, 0x800, ipv4.emit(Packet(pair.ONE4, pair.TWO4, 6, data), 1, 0))
    assert len(made.two.tcp.connections) == 16
    assert made.two.counters.tcp["ListenDrops"] == 1984


def test_overlapping_fragments_end_the_datagram():
    """RFC 5722 section 4."""
    made = world()
    whole = udp.emit(pair.ONE4, pair.TWO4, 9, 53, bytes(100))
    for word, part in ((0x2000, whole[:48]), (0x2000 | 5, bytes(32)), (6, whole[48:])):
        feed(made, 0x800, ipv4.emit(Packet(pair.ONE4, pair.TWO4, 17, part), 7, word))
    assert made.two.counters.udp["InDatagrams"] == 0
    assert made.two.counters.drop["fragment overlap"] >= 1


def test_icmp_errors_are_limited():
    """RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f)."""
    made = world()
    for _ in range(500):
        data = udp.emit(pair.ONE4, pair.TWO4, 9, 9999, b"")
        stack, index = made.ends[1]
        packet = ipv4.emit(Packet(pair.ONE4, pair.TWO4, 17, data), 1, 0)
        stack.receive(index, ethernet.emit(MAC, b"\x02\0\0\0\0\x01", 0x800, packet), made.now)
    assert made.two.counters.drop["icmp rate limit"] == 450


def test_closed_connections_leave_nothing_behind():
    made = pair.World()
    stack = made.one
    listener = stack.tcp.listen(stack.tcp.bind(b"", 8080, 4), 8)
    for _ in range(3000):
        client = stack.tcp.connect(None, b"\x7f\0\0\x01", 8080, made.now, TcpOptions(keepalive=True, linger=0))
        server = listener.accept()
        client.close(made.now)
        server.close(made.now)
        made.now += 1000
    assert not stack.tcp.connections
    assert not stack.tcp.waiting
    assert len(stack.timers.heap) < 1000
    assert set(stack.tcp.ports.bindings) == {8080}


def test_buffers_grow_within_a_budget():
    made = pair.World(limits=Limits(tuned_bytes=100_000))
    client, server, _ = made.connect()
    assert made.transfer(client, server, bytes(5_000_000)) == bytes(5_000_000)
    assert client.options.sndbuf <= 187_040
    assert server.options.rcvbuf <= 231_072
    client.abort(made.now)
    assert made.one.tcp.tuned == 0
