"""Frames that lie: whatever comes over the link, nothing makes the stack raise, and what it holds is bounded."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from town import AF_INET, AF_INET6, NONBLOCK, OURS, PEER, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, Town

from sentry.vfs.readiness import POLLIN

ICMP, ICMPV6 = 1, 58


def conversation():
    """Every frame of a few exchanges that the guest got, and the town with its sockets still open."""
    town = Town()
    taken = []
    receive = town.link.receive

    def record():
        frames = receive()
        taken.extend(frame for frame, _ in frames)
        return frames

    town.link.receive = record
    fd, far = town.connected()
    town.guest.put(fd, bytes(5000))
    far.send(bytes(3000), town.now)
    town.run()
    udp = town.socket(AF_INET, SOCK_DGRAM | NONBLOCK)
    assert town.set_option(udp, 0, 11, 1) == 0  # IP_RECVERR
    assert town.call_address("bind", udp, bytes(4), 5000) == 0
    town.send_to(udp, b"x", PEER, 9)  # answered by ICMP
    client = town.peer.udp.create(4)
    client.send(bytes(4000), town.now, (OURS, 5000))  # in fragments
    server = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    assert town.call_address("bind", server, bytes(4), 8080) == 0
    assert town.guest.listen(server, 4) == 0
    town.peer.tcp.connect(None, OURS, 8080, town.now)
    for family, protocol in ((AF_INET, ICMP), (AF_INET6, ICMPV6)):
        assert town.socket(family, SOCK_RAW | NONBLOCK, protocol) >= 0
    ping = town.socket(AF_INET, SOCK_DGRAM | NONBLOCK, ICMP)
    town.send_to(ping, b"\x08\0\0\0\0\0\0\1abcdefgh", PEER, 0)
    town.run()
    town.link.receive = receive
    return town, taken, (fd, udp, server, ping)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_frames(seed):
    chance = random.Random(seed)
    town, frames, sockets = conversation()
    for _ in range(1500):
        frame = bytearray(chance.choice(frames))
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(14 if chance.random() < 0.9 else 0, len(frame))
            frame[at] = chance.randrange(256)
        if chance.random() < 0.3:
            frame = frame[: chance.randrange(len(frame) + 1)]
        town.link.inbox.append(bytes(frame))
        town.platform.ready(POLLIN)
        town.link.out.clear()
        if chance.random() < 0.05:
            town.guest.get(chance.choice(sockets), 1000)
            town.world.now_ns += chance.randrange(500_000_000)
            town.world.run()
    assert town.kernel.limits.bytes_used < 4 << 20
    for fd in sockets:
        assert town.guest.close(fd) == 0


def test_whole_checksums_and_wrong_contents():
    """The same with checksums that fit, so that what lies behind them is reached."""
    from sentry.netstack.wire import ethernet, ipv4
    from sentry.netstack.wire.checksum import finish, pseudo, residue
    from sentry.netstack.wire.packet import Packet

    chance = random.Random(5)
    town, frames, sockets = conversation()
    whole = [packet for frame in frames if frame[12:14] == b"\x08\0" and (packet := ipv4.parse(frame[14:])) is not None]
    for _ in range(3000):
        given = chance.choice(whole)
        data = bytearray(given.payload)
        if not data:
            continue
        data[chance.randrange(len(data))] = chance.randrange(256)
        at = {1: 2, 6: 16, 17: 6}[given.protocol]
        if len(data) >= at + 2:
            data[at : at + 2] = bytes(2)
            total = residue(bytes(data))
            if given.protocol != ICMP:
                total += pseudo(given.source, given.destination, given.protocol) + len(data)
            data[at : at + 2] = finish(total).to_bytes(2, "big")
        packet = Packet(given.source, given.destination, given.protocol, bytes(data))
        head = ethernet.emit(town.link.mac, town.peer_link.mac, ethernet.TYPE_IPV4, ipv4.emit(packet, 1, 0))
        town.link.inbox.append(head)
        town.platform.ready(POLLIN)
        town.link.out.clear()
    assert town.kernel.limits.bytes_used < 4 << 20
    for fd in sockets:
        assert town.guest.close(fd) == 0
