"""A link that cuts: many full segments leave as one, and are lost, acknowledged and repeated one by one."""

from errno import EMSGSIZE

from netstack_script import HOST, PEER, Script

from sentry.netstack.iface.icmp import IcmpError
from sentry.netstack.transport.tcp.options import TcpOptions


class Cutting(Script):
    cuts_segments = True


DATA = bytes(range(250)) * 80  # 20 000 bytes
FULL = {"mss": 1460, "window": 65535}


def connected(**syn):
    script = Cutting()
    c = script.accept(TcpOptions(no_delay=True), **(FULL | syn))
    return script, c


def test_what_the_window_allows_leaves_as_one():
    script, c = connected()
    c.send(DATA, script.now)
    first = script.sent.pop(0)
    assert (len(first.payload), first.payload) == (10 * 1460, DATA[: 10 * 1460])  # the initial window
    script.nothing()
    assert [record.end - record.seq for record in c.board.records] == [1460] * 10


def test_a_lost_part_alone_is_sent_again():
    script, c = connected(is_sack_permitted=True)
    c.send(DATA, script.now)
    script.sent.clear()
    start = c.iss + 1 & 0xFFFFFFFF
    script.send(".", 1, 1 + 1460, window=65535, sacks=[(start + 2 * 1460, start + 6 * 1460)])
    again = [one for one in script.sent if (one.seq - start) & 0xFFFFFFFF == 1460]
    assert [len(one.payload) for one in again] == [1460]


def test_a_smaller_peer_or_path_gets_packets_that_fit():
    script, c = connected(mss=1000)
    c.send(DATA, script.now)
    assert {len(one.payload) for one in script.sent} == {1000}
    script, c = connected()
    c.send(DATA, script.now)
    script.sent.clear()
    script.stack.tcp.handle_error(HOST, PEER, _head(c), IcmpError(EMSGSIZE, True, 3, 4, 1300, b""))
    assert script.sent
    assert max(len(one.payload) for one in script.sent) == 1260


def _head(c):
    return c.port.to_bytes(2, "big") + c.remote_port.to_bytes(2, "big") + (c.snd_una & 0xFFFFFFFF).to_bytes(4, "big")


def test_options_never_make_a_packet_too_large():
    """Blocks of a gap ride on data only where there is room: a full segment with them would not fit the path."""
    script = Script()
    c = script.accept(TcpOptions(no_delay=True), mss=1460, is_sack_permitted=True, stamp=1, window=65535)
    script.send(".", 101, 1, data=b"later", stamp=3, window=65535)
    script.sent.clear()
    c.send(bytes(1448 * 2 + 100), script.now)
    assert [(len(one.payload), len(one.sacks)) for one in script.sent] == [(1448, 0), (1448, 0), (100, 1)]


def test_a_large_segment_is_acknowledged_at_once():
    """It stands for many: the peer must not wait for a timer."""
    script, c = connected()
    c.quick_acks = 0
    script.send(".", 1, 1, data=bytes(1460), window=65535)
    script.nothing()
    script.wait(100_000_000)
    script.expect(".", seq=1, ack=1461)
    script.send(".", 1461, 1, data=bytes(9000), window=65535)
    script.expect(".", seq=1, ack=1461 + 9000)


def test_slow_start_counts_all_that_an_acknowledgement_stands_for():
    """A peer that merges segments acknowledges many at once: the window still doubles each round trip."""
    script, c = connected()
    c.send(bytes(60_000), script.now)
    window = c.congestion.window
    script.send(".", 1, 1 + 10 * 1460, window=65535)
    assert c.congestion.window == window + 10 * 1460
