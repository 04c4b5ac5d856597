"""Ethernet, ARP, NDP, IPv4, IPv6, ICMP, UDP and raw endpoints: a scenario for each rule."""

from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL, ECONNREFUSED, EDESTADDRREQ, EHOSTUNREACH, EMSGSIZE, ENETUNREACH

import netstack_pair as pair
import pytest

from sentry.netstack.iface import neighbour
from sentry.netstack.iface.route import Route
from sentry.netstack.interface import MILLISECOND, SECOND, Limits, NetError
from sentry.netstack.wire import arp, ethernet, icmp, ipv4, ipv6, udp
from sentry.netstack.wire.checksum import checksum
from sentry.netstack.wire.packet import Packet

GROUP4, GROUP6 = b"\xe0\x01\x02\x03", b"\xff\x02" + bytes(13) + b"\x99"


@pytest.fixture
def world():
    return pair.World()


def errno_of(function, *arguments, **keywords):
    with pytest.raises(NetError) as caught:
        function(*arguments, **keywords)
    return caught.value.errno


def udp_pair(world, family=4):
    one, two = world.one.udp.create(family), world.two.udp.create(0)
    two.bind(b"", 53)
    return one, two


def test_checksum_of_rfc1071():
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2
    assert checksum(b"\xff\xff") == 0


def test_arp_of_a_recorded_request():
    frame = bytes.fromhex("0001080006040001020000000001c0a80001000000000000c0a80002")
    packet = arp.parse(frame)
    assert (packet.operation, packet.sender, packet.target) == (arp.REQUEST, bytes((192, 168, 0, 1)), bytes((192, 168, 0, 2)))
    assert arp.emit(packet) == frame


def test_rfc826_asks_once_and_remembers(world):
    one, two = udp_pair(world)
    world.run(seconds=0.1)
    del world.trace[:]
    for _ in range(3):
        one.send(b"hi", world.now, (pair.TWO4, 53))
    world.run(seconds=0.1)
    kinds = [ethernet.parse(frame)[2] for _, _, frame in world.trace]
    assert kinds.count(ethernet.TYPE_ARP) == 2
    assert len(two.queue) == 3


def test_a_neighbour_that_is_not_there_is_an_error(world):
    one = world.one.udp.create(4)
    one.wants_errors = True
    one.connect(bytes((10, 0, 0, 77)), 9)
    one.send(b"x", world.now)
    world.run(seconds=5)
    assert one.take_error() == EHOSTUNREACH
    assert one.errors.popleft().errno == EHOSTUNREACH


def test_neighbours_are_limited():
    world = pair.World(limits=Limits(neighbours=8))
    one = world.one.udp.create(4)
    for last in range(100, 200):
        one.send(b"x", world.now, (bytes((10, 0, 0, last)), 9))
    assert len(world.one.neighbours.entries) == 8


def test_rfc4861_7_3_a_silent_neighbour_is_probed_and_forgotten(world):
    one, _ = udp_pair(world)
    one.send(b"x", world.now, (pair.TWO4, 53))
    world.run(seconds=40)
    world.drop_next = 1000
    one.send(b"x", world.now, (pair.TWO4, 53))
    entry = next(iter(world.one.neighbours.entries.values()))
    assert entry.state == neighbour.DELAY
    world.run(seconds=20)
    assert not world.one.neighbours.entries


def test_rfc5227_an_address_is_defended_once_in_ten_seconds(world):
    stack, index = world.ends[0]
    claim = arp.emit(arp.Arp(arp.REQUEST, b"\x02\0\0\0\0\x66", pair.ONE4, arp.UNKNOWN, pair.ONE4))
    frame = ethernet.emit(ethernet.BROADCAST, b"\x02\0\0\0\0\x66", ethernet.TYPE_ARP, claim)
    del world.trace[:]
    for _ in range(5):
        stack.receive(index, frame, world.now)
    assert len(world.trace) == 1


def test_rfc4862_5_4_duplicate_address_is_given_up(world):
    stack, index = world.ends[0]
    stack.add_address(index, pair.TWO6, 64, has_dad=True)
    assert pair.TWO6 not in stack.local
    world.run(seconds=2)
    assert pair.TWO6 not in stack.local
    fresh = pair.TWO6[:15] + b"\x55"
    stack.add_address(index, fresh, 64, has_dad=True)
    world.run(seconds=2)
    assert fresh in stack.local


@pytest.mark.parametrize(("source", "target"), [(pair.ONE4, pair.TWO4), (pair.ONE6, pair.TWO6)])
@pytest.mark.parametrize("size", [0, 1, 1472, 1473, 9000, 65_000])
def test_datagrams_are_fragmented_and_joined(source, target, size):
    world = pair.World(5, jitter=2 * MILLISECOND, duplicate=0.2, limits=Limits(neighbour_queue=64))
    one, two = udp_pair(world, len(source))
    one.send(bytes(range(256)) * 256 if size > 65_535 else bytes(size), world.now, (target, 53))
    world.run(seconds=1)
    datagram = two.receive()
    assert (datagram.source, datagram.destination, len(datagram.payload)) == (source, target, size)


def test_dont_fragment_is_emsgsize(world):
    one, _ = udp_pair(world)
    one.dont_fragment = True
    assert errno_of(one.send, bytes(2000), world.now, (pair.TWO4, 53)) == EMSGSIZE


def test_rfc792_reassembly_timeout_is_told(world):
    stack, index = world.ends[1]
    part = ipv4.emit(Packet(pair.ONE4, pair.TWO4, 17, bytes(64)), 9, ipv4.MORE_FRAGMENTS)
    stack.receive(index, world.wires[1].mac + world.wires[0].mac + b"\x08\x00" + part, world.now)
    del world.trace[:]
    world.run(seconds=31)
    packets = [ipv4.parse(frame[14:]) for _, _, frame in world.trace if frame[12:14] == b"\x08\x00"]
    assert [(one.payload[0], one.payload[1]) for one in packets] == [(icmp.TIME_EXCEEDED, 1)]
    assert stack.reassembler.size == 0


def test_rfc7126_source_routes_are_dropped():
    assert ipv4.has_good_options(b"\x01\x07\x03\x04")
    assert not ipv4.has_good_options(b"\x83\x03\x04\x00")
    assert not ipv4.has_good_options(b"\x07\x00\x00\x00")


def test_rfc8200_4_2_an_unknown_option_that_asks_for_it_is_told(world):
    stack, index = world.ends[1]
    chain = bytes((17, 0, 0x80, 4, 0, 0, 0, 0)) + udp.emit(pair.ONE6, pair.TWO6, 1, 53, b"")
    packet = ipv6.emit(Packet(pair.ONE6, pair.TWO6, ipv6.DESTINATION, chain))
    del world.trace[:]
    stack.receive(index, world.wires[1].mac + world.wires[0].mac + b"\x86\xdd" + packet, world.now)
    world.run(seconds=0.1)
    told = [ipv6.parse(frame[14:]) for _, to_two, frame in world.trace if not to_two]
    problem = next(one.payload for one in told if one.payload[0] == icmp.PARAMETER6)
    assert (problem[1], int.from_bytes(problem[4:8], "big")) == (ipv6.BAD_OPTION, 42)


def test_rfc8200_4_known_extension_headers_are_passed_over(world):
    stack, index = world.ends[1]
    _, two = udp_pair(world, 16)
    chain = bytes((60, 0, 1, 4, 0, 0, 0, 0)) + bytes((43, 0, 1, 4, 0, 0, 0, 0)) + bytes((17, 0, 0, 0, 0, 0, 0, 0))
    chain += udp.emit(pair.ONE6, pair.TWO6, 1, 53, b"in")
    packet = ipv6.emit(Packet(pair.ONE6, pair.TWO6, ipv6.HOP_BY_HOP, chain))
    stack.receive(index, world.wires[1].mac + world.wires[0].mac + b"\x86\xdd" + packet, world.now)
    assert two.receive().payload == b"in"


def test_rfc1122_3_2_1_3_martians_are_dropped(world):
    stack, index = world.ends[1]
    _, two = udp_pair(world)
    for source in (pair.TWO4, b"\x7f\0\0\x01", b"\xff" * 4, b"\xe0\0\0\x01"):
        packet = ipv4.emit(Packet(source, pair.TWO4, 17, udp.emit(source, pair.TWO4, 1, 53, b"")), 1, 0)
        stack.receive(index, world.wires[1].mac + world.wires[0].mac + b"\x08\x00" + packet, world.now)
    assert not two.queue


def test_routes_longest_prefix_then_metric(world):
    stack, index = world.ends[0]
    other = stack.add_link(world.wires[0])
    stack.add_address(other, bytes((10, 1, 0, 1)), 16)
    stack.add_route(Route(bytes(4), 0, index, gateway=pair.TWO4, metric=100))
    stack.add_route(Route(bytes(4), 0, other, gateway=bytes((10, 1, 0, 9)), metric=50))
    assert stack.routes.lookup(bytes((8, 8, 8, 8))).next_hop == bytes((10, 1, 0, 9))
    assert stack.routes.lookup(bytes((10, 0, 0, 7))).source == pair.ONE4
    assert stack.routes.lookup(bytes((10, 1, 0, 7))).source == bytes((10, 1, 0, 1))
    assert stack.routes.lookup(bytes((8, 8, 8, 8)), index).next_hop == pair.TWO4
    stack.devices[other].is_up = False
    stack.routes.changed()
    assert stack.routes.lookup(bytes((8, 8, 8, 8))).next_hop == pair.TWO4


def test_rfc6724_link_local_to_link_local(world):
    stack, index = world.ends[0]
    mine = b"\xfe\x80" + bytes(13) + b"\x01"
    stack.add_address(index, mine, 64)
    assert stack.devices[index].source_for(b"\xfe\x80" + bytes(13) + b"\x02") == mine
    assert stack.devices[index].source_for(pair.TWO6) == pair.ONE6


def test_no_route(world):
    assert errno_of(world.one.udp.create(4).send, b"", world.now, (bytes((8, 8, 8, 8)), 53)) == ENETUNREACH
    assert errno_of(world.one.udp.create(4).send, b"", world.now) == EDESTADDRREQ
    assert errno_of(world.one.tcp.connect, None, bytes((8, 8, 8, 8)), 53, world.now) == ENETUNREACH


@pytest.mark.parametrize("target", [pair.TWO4, pair.TWO6])
def test_a_closed_port_refuses_a_connected_endpoint(world, target):
    one = world.one.udp.create(len(target))
    one.wants_errors = True
    one.connect(target, 9999)
    one.send(b"hello", world.now)
    world.run(seconds=0.1)
    queued = one.errors.popleft()
    assert (queued.errno, queued.destination, queued.port, queued.payload) == (ECONNREFUSED, target, 9999, b"hello")
    assert errno_of(one.send, b"again", world.now) == ECONNREFUSED


def test_rfc768_no_checksum_is_allowed_over_ipv4_only():
    data = udp.emit(pair.ONE4, pair.TWO4, 1, 2, b"x", has_checksum=False)
    assert udp.parse(pair.ONE4, pair.TWO4, data) == (1, 2, b"x")
    assert udp.parse(pair.ONE6, pair.TWO6, data) is None


def test_udp_buffer_is_limited(world):
    one, two = udp_pair(world)
    two.rcvbuf = 5000
    for _ in range(10):
        one.send(bytes(1000), world.now, (pair.TWO4, 53))
    world.run(seconds=0.1)
    assert len(two.queue) == 3
    assert world.two.counters.udp["RcvbufErrors"] == 7


def test_bind_rules(world):
    one = world.one.udp.create(4)
    one.bind(b"", 5000)
    assert errno_of(world.one.udp.create(4).bind, b"", 5000) == EADDRINUSE
    assert errno_of(world.one.udp.create(4).bind, bytes((9, 9, 9, 9)), 1) == EADDRNOTAVAIL
    world.one.udp.create(16).bind(b"", 5000)
    one.close()
    world.one.udp.create(4).bind(b"", 5000, can_reuse=True)
    world.one.udp.create(4).bind(b"", 5000, can_reuse=True)


def test_broadcast_needs_permission(world):
    one, two = udp_pair(world)
    assert errno_of(one.send, b"x", world.now, (b"\x0a\0\0\xff", 53)) == EACCES
    one.can_broadcast = True
    one.send(b"x", world.now, (b"\x0a\0\0\xff", 53))
    world.run(seconds=0.1)
    assert two.receive().payload == b"x"


@pytest.mark.parametrize("group", [GROUP4, GROUP6])
def test_multicast_reaches_members_only(world, group):
    one, two = udp_pair(world, len(group))
    stack, index = world.ends[0]
    stack.add_route(Route(group, len(group) * 8, index))
    one.send(b"a", world.now, (group, 53))
    world.run(seconds=0.1)
    assert not two.queue
    assert two.join(world.ends[1][1], group)
    assert not two.join(world.ends[1][1], group)
    one.send(b"b", world.now, (group, 53))
    world.run(seconds=0.1)
    assert two.receive().destination == group
    two.close()
    assert group not in world.two.devices[world.ends[1][1]].groups


@pytest.mark.parametrize(("family", "target", "kind"), [(4, pair.TWO4, 8), (16, pair.TWO6, 128)])
def test_ping_endpoints(world, family, target, kind):
    ping = world.one.raw.create_ping(family)
    ping.send(bytes((kind, 0, 0, 0, 9, 9, 0, 1)) + b"data", world.now, target)
    world.run(seconds=0.1)
    answer = ping.receive()
    assert (answer.source, answer.payload[6:]) == (target, b"\x00\x01data")
    ping.close()


def test_raw_endpoints_get_copies_with_the_header(world):
    raw = world.two.raw.create(4, 253)
    sender = world.one.raw.create(4, 253)
    sender.send(b"abc", world.now, pair.TWO4)
    world.run(seconds=0.1)
    packet = raw.receive().payload
    assert (packet[0], packet[9], packet[20:]) == (0x45, 253, b"abc")


def test_an_unknown_protocol_is_told(world):
    sender = world.one.raw.create(4, 253)
    sender.send(b"abcdefgh", world.now, pair.TWO4)
    del world.trace[:]
    world.run(seconds=0.1)
    assert any(frame[23] == 1 and frame[34:36] == b"\x03\x02" for _, to_two, frame in world.trace if not to_two)


def test_a_gateways_mac_is_used(world):
    stack, index = world.ends[0]
    stack.add_route(Route(bytes(4), 0, index, gateway=pair.TWO4))
    one = world.one.udp.create(4)
    one.send(b"x", world.now, (bytes((8, 8, 8, 8)), 53))
    world.run(seconds=0.1)
    out = [frame for _, to_two, frame in world.trace if to_two and frame[12:14] == b"\x08\x00"]
    assert out[-1][:6] == world.wires[1].mac
    assert out[-1][30:34] == bytes((8, 8, 8, 8))


def test_idle_has_no_deadline(world):
    world.run(seconds=0.5)
    assert world.one.next_deadline() is None
    assert SECOND == 10**9
