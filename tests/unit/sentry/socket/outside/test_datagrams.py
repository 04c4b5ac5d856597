"""A guest's UDP, ping and raw sockets and a stack at the other end of the link; what ICMP tells."""

import sys
from errno import EACCES, EADDRNOTAVAIL, EAGAIN, ECONNREFUSED, EHOSTUNREACH, EINVAL, EMSGSIZE, ENETUNREACH, EPERM
from pathlib import Path
from struct import pack, unpack

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from town import AF_INET, AF_INET6, FAR, NONBLOCK, OURS, OURS6, PEER, PEER6, SOCK_DGRAM, SOCK_RAW, Town

from sentry.boot.egress import policy
from sentry.netstack.egress.rules import Network
from sentry.netstack.interface import NetError
from sentry.vfs.readiness import POLLERR

IP, IP_PKTINFO, IP_TTL, IP_MTU_DISCOVER, IP_RECVERR, IP_RECVTTL, IP_MTU = 0, 8, 2, 10, 11, 12, 14
SOL_SOCKET, SO_ERROR, SO_BROADCAST, SO_BINDTODEVICE = 1, 4, 6, 25
MSG_ERRQUEUE = 0x2000
ICMP = 1


@pytest.fixture
def town():
    return Town()


def udp(town, family=AF_INET):
    return town.socket(family, SOCK_DGRAM | NONBLOCK)


def received(town, fd, flags=0):
    """recvmsg(2): data, (address, port), control messages as (level, type, data), flags; or -errno."""
    guest = town.guest
    data, name, control = guest.alloc(2000), guest.alloc(28), guest.alloc(256)
    iov = guest.alloc(pack("<QQ", data, 2000))
    header = guest.alloc(pack("<QIxxxxQQQQIxxxx", name, 28, iov, 1, control, 256, 0))
    count = guest.recvmsg(fd, header, flags)
    if isinstance(count, int) and count < 0:
        return count
    size, told = unpack("<QI", guest.peek(header + 40, 12))
    raw, messages = guest.peek(control, size), []
    while len(raw) >= 16:
        length, level, kind = unpack("<QII", raw[:16])
        messages.append((level, kind, raw[16:length]))
        raw = raw[(length + 7) & ~7 :]
    address = guest.peek(name, 28)
    ip = address[4:8] if address[0] == AF_INET else address[8:24]
    return guest.peek(data, count), (ip, int.from_bytes(address[2:4], "big")), messages, told


def test_a_question_and_its_answer(town):
    server = town.peer.udp.create(4)
    server.bind(b"", 53)
    fd = udp(town)
    assert town.call_address("connect", fd, PEER, 53) == 0
    assert town.name_of("getsockname", fd)[0] == OURS
    assert town.guest.put(fd, b"who?") == 4
    town.run()
    question = server.receive()
    assert (question.payload, question.source) == (b"who?", OURS)
    server.send(b"me", town.now, (question.source, question.port))
    server.send(b"again", town.now, (question.source, question.port))
    town.run()
    assert town.guest.get(fd, 100) == b"me"
    assert town.guest.get(fd, 100) == b"again"
    assert town.guest.get(fd, 100) == -EAGAIN
    assert town.kernel.limits.bytes_used == 0


def test_a_stranger_does_not_reach_a_connected_socket(town):
    fd = udp(town)
    town.call_address("connect", fd, PEER, 53)
    port = town.name_of("getsockname", fd)[1]
    stranger = town.peer.udp.create(4)
    stranger.send(b"spoof", town.now, (OURS, port))
    town.run()
    assert town.guest.get(fd, 100) == -EAGAIN
    assert stranger.error in (0, ECONNREFUSED)


def test_a_server_hears_from_whom_on_which_device_with_which_ttl(town):
    fd = udp(town)
    for name in (IP_PKTINFO, IP_RECVTTL):
        assert town.set_option(fd, IP, name, 1) == 0
    assert town.call_address("bind", fd, OURS, 5000) == 0
    client = town.peer.udp.create(4)
    client.ttl = 9
    client.bind(b"", 777)
    client.send(b"hello", town.now, (OURS, 5000))
    town.run()
    data, source, control, _ = received(town, fd)
    assert (data, source) == (b"hello", (PEER, 777))
    assert (IP, IP_TTL, pack("<i", 9)) in control
    assert (IP, IP_PKTINFO, pack("<i", 2) + OURS + OURS) in control


def test_ipv6(town):
    fd = udp(town, AF_INET6)
    server = town.peer.udp.create(16)
    server.bind(b"", 53)
    assert town.send_to(fd, b"six", PEER6, 53) == 3
    town.run()
    question = server.receive()
    assert question.source == OURS6
    server.send(b"6", town.now, (OURS6, question.port))
    town.run()
    data, source, _, _ = received(town, fd)
    assert (data, source) == (b"6", (PEER6, 53))


def test_own_addresses_can_be_bound_and_no_others(town):
    assert town.call_address("bind", udp(town), OURS, 5000) == 0
    assert town.call_address("bind", udp(town), PEER, 5000) == -EADDRNOTAVAIL
    local = udp(town)
    assert town.call_address("bind", local, b"\x7f\0\0\1", 5001) == 0
    assert town.send_to(local, b"x", PEER, 53) == -EINVAL
    assert town.send_to(udp(town), b"x", OURS, 5000) == 1  # stays inside
    assert town.net.stack.counters.udp["OutDatagrams"] == 0


def test_nobody_there_is_an_error_of_the_connected_socket(town):
    fd = udp(town)
    town.call_address("connect", fd, PEER, 9)
    town.guest.put(fd, b"x")
    town.run()
    assert town.poll(fd) & POLLERR
    assert town.guest.put(fd, b"x") == -ECONNREFUSED
    other = udp(town)
    assert town.send_to(other, b"x", PEER, 9) == 1
    town.run()
    assert town.guest.get(other, 1) == -EAGAIN


def test_the_error_queue_has_the_datagram_and_who_told(town):
    fd = udp(town)
    assert town.set_option(fd, IP, IP_RECVERR, 1) == 0
    town.send_to(fd, b"payload", PEER, 9)
    town.run()
    data, to, control, flags = received(town, fd, MSG_ERRQUEUE)
    assert (data, to) == (b"payload", (PEER, 9))
    assert flags & MSG_ERRQUEUE
    ((level, kind, error),) = control
    assert (level, kind) == (IP, IP_RECVERR)
    assert unpack("<IBBBBII", error[:16]) == (ECONNREFUSED, 2, 3, 3, 0, 0, 0)
    assert error[20:24] == PEER


def test_a_neighbour_that_is_not_there(town):
    fd = udp(town)
    assert town.set_option(fd, IP, IP_RECVERR, 1) == 0
    assert town.send_to(fd, b"x", PEER[:3] + b"\x63", 9) == 1
    town.wait(lambda: town.poll(fd) & POLLERR)
    assert town.option(fd, SOL_SOCKET, SO_ERROR)[0] == EHOSTUNREACH


def test_sizes_fragments_and_the_path(town):
    server = town.peer.udp.create(4)
    server.bind(b"", 53)
    fd = udp(town)
    assert town.send_to(fd, bytes(range(256)) * 40, PEER, 53) == 10_240
    town.run()
    assert server.receive().payload == bytes(range(256)) * 40
    assert town.set_option(fd, IP, IP_MTU_DISCOVER, 2) == 0
    assert town.send_to(fd, bytes(1473), PEER, 53) == -EMSGSIZE
    assert town.send_to(fd, bytes(1472), PEER, 53) == 1472
    town.call_address("connect", fd, PEER, 53)
    assert town.option(fd, IP, IP_MTU) == (1500).to_bytes(4, "little")


def test_broadcast_needs_the_option(town):
    fd = udp(town)
    network = PEER[:3] + b"\xff"
    for address in (network, b"\xff" * 4):
        assert town.send_to(fd, b"x", address, 9) == -EACCES
    assert town.set_option(fd, SOL_SOCKET, SO_BROADCAST, 1) == 0
    server = town.peer.udp.create(4)
    server.bind(b"", 9)
    for address in (network, b"\xff" * 4):
        assert town.send_to(fd, b"all", address, 9) == 3
    town.run()
    assert [server.receive().payload for _ in range(2)] == [b"all"] * 2


def test_binding_to_a_device(town):
    fd = udp(town)
    assert town.set_option(fd, SOL_SOCKET, SO_BINDTODEVICE, b"eth0\0") == 0
    assert town.send_to(fd, b"x", b"\x7f\0\0\1", 9) == -ENETUNREACH
    assert town.send_to(fd, b"x", PEER, 9) == 1
    other = udp(town)
    assert town.set_option(other, SOL_SOCKET, SO_BINDTODEVICE, b"lo\0") == 0
    assert town.send_to(other, b"x", PEER, 9) == -ENETUNREACH
    assert town.call_address("bind", other, bytes(4), 6000) == 0
    town.peer.udp.create(4).send(b"x", town.now, (OURS, 6000))
    town.run()
    assert town.guest.get(other, 1) == -EAGAIN


def question(text, id=7):
    labels = b"".join(bytes((len(label),)) + label.encode() for label in text.split("."))
    return pack(">HHHHHH", id, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def answer(to, *addresses):
    records = b"".join(b"\xc0\x0c\0\1\0\1" + pack(">IH", 60, 4) + one for one in addresses)
    return to[:2] + pack(">HHHHH", 0x8180, 1, len(addresses), 0, 0) + to[12:] + records


@pytest.fixture
def strict(town):
    """Only example.org may be reached; PEER is the name server."""
    town.net.policy = policy({"allowed": [("example.org", 9000)], "resolvers": ["10.0.2.2"]}, lambda: town.now)
    town.server = town.peer.udp.create(4)
    town.server.bind(b"", 53)
    return town


def test_an_address_may_be_reached_once_a_name_server_has_told_it(strict):
    town, fd = strict, udp(strict)
    assert town.send_to(fd, b"x", FAR, 9000) == -EPERM
    asked = question("example.org")
    assert town.send_to(fd, asked, PEER, 53) == len(asked)
    town.run()
    port = town.server.receive().port
    town.server.send(answer(asked, FAR), town.now, (OURS, port))
    town.run()
    assert town.guest.get(fd, 500) == answer(asked, FAR)
    assert town.send_to(fd, b"x", FAR, 9000) == 1
    assert town.send_to(fd, b"x", FAR, 9001) == -EPERM
    town.world.now_ns += 60 * 10**9
    assert town.send_to(fd, b"x", FAR, 9000) == -EPERM


def test_other_questions_are_answered_inside(strict):
    town, fd = strict, udp(strict)
    town.call_address("connect", fd, PEER, 53)
    secret = question("secret.evil.example")
    assert town.guest.put(fd, secret) == len(secret)
    data, source, _, _ = received(town, fd)
    assert (data[:4], source) == (secret[:2] + b"\x81\x83", (PEER, 53))
    assert town.guest.put(fd, b"no question") == -EPERM
    town.run()
    assert town.server.receive() is None
    assert town.kernel.limits.bytes_used == 0


def test_a_guest_cannot_forge_an_answer(strict):
    town, fd = strict, udp(strict)
    town.call_address("bind", fd, OURS, 5000)
    asked = question("example.org")
    town.send_to(fd, asked, PEER, 53)
    town.run()
    assert town.send_to(udp(town), answer(asked, FAR), OURS, 5000) == len(answer(asked, FAR))  # from another port of its own
    raw = town.socket(AF_INET, SOCK_RAW | NONBLOCK, 17)
    assert town.set_option(raw, IP, 3, 1) == 0  # IP_HDRINCL
    segment = pack(">HHHH", 53, 5000, 8 + len(answer(asked, FAR)), 0) + answer(asked, FAR)
    packet = pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, 17, 0, PEER, OURS) + segment
    assert town.send_to(raw, packet, OURS, 0) == len(packet)
    town.run()
    assert town.send_to(fd, b"x", FAR, 9000) == -EPERM


def test_raw_packets_have_ports_too_and_are_never_fragments(strict):
    town = strict
    raw = town.socket(AF_INET, SOCK_RAW | NONBLOCK, 255)  # IPPROTO_RAW: with a header of its own
    town.net.policy.rules = town.net.policy.rules._replace(allowed=(Network(FAR, 32, 9000),))
    frames = len(town.link.out)

    def packet(port, to=FAR, fragment=0, protocol=17, data=b"data"):
        segment = pack(">HHHH", 5000, port, 8 + len(data), 0) + data
        return pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, fragment, 64, protocol, 0, bytes(4), to) + segment

    assert town.send_to(raw, packet(9001), FAR, 0) == -EPERM
    assert town.send_to(raw, packet(9001, fragment=8), FAR, 0) == -EPERM
    assert town.send_to(raw, packet(9000, to=FAR), PEER, 0) == -EPERM  # where it goes counts, not what its header says
    assert town.send_to(raw, packet(53, data=question("example.org")), PEER, 0) == -EPERM
    assert town.send_to(raw, packet(9000, protocol=47), FAR, 0) == -EPERM
    assert len(town.link.out) == frames
    assert town.send_to(raw, packet(9000, fragment=0x2001), FAR, 0) == 32
    town.run()
    assert town.peer.counters.ip["InReceives"]
    assert not town.peer.counters.ip["ReasmReqds"]


def test_a_server_answers_whom_it_hears(strict):
    town, fd = strict, udp(strict)
    assert town.call_address("bind", fd, OURS, 80) == 0
    assert town.send_to(fd, b"unasked", PEER, 777) == -EPERM
    client = town.peer.udp.create(4)
    client.bind(b"", 777)
    client.send(b"hello", town.now, (OURS, 80))
    town.run()
    assert town.send_to(fd, b"welcome", PEER, 777) == 7
    assert town.send_to(fd, b"unasked", PEER, 778) == -EPERM


def test_ping(town):
    fd = town.socket(AF_INET, SOCK_DGRAM | NONBLOCK, ICMP)
    assert town.send_to(fd, b"\x08\0\0\0\0\0\0\1abcdefgh", PEER, 0) == 16
    town.run()
    data, source, _, _ = received(town, fd)
    assert data[0] == 0
    assert data[6:] == b"\0\1abcdefgh"
    assert source == (PEER, 0)


def test_the_guest_is_pinged(town):
    ping = town.peer.raw.create_ping(4)
    ping.send(b"\x08\0\0\0\0\0\0\1x", town.now, OURS)
    town.run()
    assert ping.receive().source == OURS


def test_a_raw_socket_sees_answers(town):
    fd = town.socket(AF_INET, SOCK_RAW | NONBLOCK, ICMP)
    assert town.send_to(fd, b"\x08\0\xf7\xfd\0\1\0\1", PEER, 0) == 8
    town.run()
    data, source, _, _ = received(town, fd)
    assert data[0] == 0x45
    assert data[20] == 0
    assert source == (PEER, 0)


def test_a_flood_is_dropped_at_the_sockets_buffer(town):
    fd = udp(town)
    assert town.call_address("bind", fd, bytes(4), 5000) == 0
    client = town.peer.udp.create(4)
    for _ in range(2000):
        client.send(bytes(500), town.now, (OURS, 5000))
        town.run()
    assert town.kernel.limits.bytes_used < 300_000
    assert town.guest.close(fd) == 0
    assert town.kernel.limits.bytes_used == 0
    client.error = 0
    with pytest.raises(NetError):
        client.connect(OURS, 5000)
        client.send(b"x", town.now)
        town.run()
        client.send(b"x", town.now)


def test_proc_net_snmp_counts_what_the_stack_does(town):
    from sentry.fs.proc.net.tables import snmp

    assert town.send_to(udp(town), b"x", PEER, 9) == 1
    town.run()
    lines = snmp(town.guest.task).decode().splitlines()
    names, numbers = (line.split()[1:] for line in lines if line.startswith("Udp:"))
    assert dict(zip(names, numbers, strict=True))["OutDatagrams"] == "1"
    names, numbers = (line.split()[1:] for line in lines if line.startswith("Ip:"))
    told = dict(zip(names, numbers, strict=True))
    assert (told["InReceives"], told["OutRequests"], told["DefaultTTL"]) == ("1", "1", "64")
