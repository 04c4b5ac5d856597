"""Windows that hold a sender back, and two ends in one stack that are joined."""

import netstack_pair as pair
import pytest
from netstack_script import MS, S, Script

from sentry.netstack.transport.tcp.options import TcpOptions
from sentry.netstack.transport.tcp.state import CLOSED, ESTABLISHED
from sentry.netstack.wire.tcp import ACK


@pytest.fixture
def s():
    return Script()


def test_rfc9293_3_8_6_2_1_a_small_window_is_used_when_time_runs_out(s):
    """A sender avoids silly segments, but not for ever: first a probe, then what fits."""
    c = s.accept()
    s.send(".", 1, 1, window=100)
    c.send(b"x" * 500, s.now)
    s.nothing()
    assert c.is_persisting
    s.wait(5 * S)
    probe, first = s.sent[0], s.sent[1]
    assert (probe.seq - s.iss, probe.payload, probe.flags) == (0, b"", ACK)
    assert (first.seq - s.iss, first.payload) == (1, b"x" * 100)
    assert not c.is_persisting
    s.sent.clear()
    s.send(".", 1, 101, window=65535)
    assert b"".join(one.payload for one in s.sent) == b"x" * 400


def test_probes_go_out_rarer_and_rarer(s):
    c = s.accept(window=0)
    c.send(b"data", s.now)
    times = []
    for _ in range(6):
        deadline = s.stack.next_deadline()
        s.now = deadline
        s.stack.poll(s.now)
        assert [one.payload for one in s.sent] == [b""]
        s.sent.clear()
        times.append(s.now)
        s.send(".", 1, 1, window=0)
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 4 * gaps[0]
    assert c.state == ESTABLISHED


def test_probes_that_nobody_answers_end_the_connection(s):
    c = s.accept(TcpOptions(retries=3), window=0)
    c.send(b"data", s.now)
    s.wait(1 * S)
    assert c.state == ESTABLISHED
    s.wait(400 * S)
    assert [one.payload for one in s.sent] == [b""] * 3
    assert (c.state, c.take_error()) == (CLOSED, 110)


def test_a_user_timeout_ends_it_earlier(s):
    """RFC 5482; tcp(7), TCP_USER_TIMEOUT."""
    c = s.accept(TcpOptions(user_timeout=700 * MS))
    c.send(b"data", s.now)
    s.wait(600 * MS)
    assert c.state == ESTABLISHED
    s.wait(3 * S)
    assert (c.state, c.take_error()) == (CLOSED, 110)


def test_joined_ends_have_no_timers_left_and_cost_nothing_while_idle():
    world = pair.World()
    stack = world.one
    listener = stack.tcp.listen(stack.tcp.bind(b"", 80, 4), 8)
    client = stack.tcp.connect(None, b"\x7f\0\0\x01", 80, world.now)
    server = listener.accept()
    assert (client.peer, server.peer) == (server, client)
    for end in (client, server):
        assert (end.ack_pending, end.ack_timer.deadline, end.retransmit_timer.deadline) == (0, None, None)
    segments = stack.counters.tcp["OutSegs"]
    assert client.send(b"over", world.now) == 4
    assert server.receive(10, world.now) == b"over"
    world.run(seconds=5)
    assert stack.counters.tcp["OutSegs"] == segments
    server.shutdown(world.now, write=True)
    assert client.receive(10, world.now) == b""
    assert client.send(b"half", world.now) == 4
    assert server.receive(10, world.now) == b"half"
