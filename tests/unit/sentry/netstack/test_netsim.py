"""TCP over a simulated link: whatever it does to packets, every byte arrives in order and both ends close."""

import random

import netstack_pair as pair
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentry.netstack.interface import MILLISECOND, NetError
from sentry.netstack.transport.tcp.options import TcpOptions
from sentry.netstack.transport.tcp.state import CLOSED, ESTABLISHED, TIME_WAIT

World = pair.World
pytestmark = pytest.mark.slow


def close_both(world, client, server):
    client.shutdown(world.now, write=True)
    server.shutdown(world.now, write=True)
    assert world.run(lambda: client.state in (TIME_WAIT, CLOSED) and server.state in (TIME_WAIT, CLOSED))
    world.run(seconds=200)
    assert (client.state, server.state) == (CLOSED, CLOSED)
    assert not world.one.tcp.connections
    assert not world.two.tcp.connections


@pytest.mark.parametrize("congestion", ["reno", "cubic"])
@pytest.mark.parametrize(
    ("link", "least"),
    [
        ({}, 10.0),
        ({"loss": 0.01}, 5.0),
        ({"loss": 0.05, "duplicate": 0.05, "jitter": 3 * MILLISECOND}, 0.2),
        ({"delay": 25 * MILLISECOND, "loss": 0.01}, 0.2),
        ({"is_ethernet": False, "mtu": 1280}, 10.0),
        ({"cuts_segments": True}, 10.0),
        ({"cuts_segments": True, "loss": 0.05, "duplicate": 0.05, "jitter": 3 * MILLISECOND}, 0.2),
    ],
)
def test_throughput_is_sane(congestion, link, least):
    world = World(3, **link)
    options = TcpOptions(congestion=congestion)
    client, server, _ = world.connect(options=options)
    data = random.Random(1).randbytes(1_000_000)
    began = world.now
    assert world.transfer(client, server, data) == data
    assert len(data) / 1e6 / ((world.now - began) / 1e9) > least
    close_both(world, client, server)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    loss=st.sampled_from([0, 0.02, 0.1, 0.25]),
    duplicate=st.sampled_from([0, 0.1]),
    jitter=st.sampled_from([0, MILLISECOND, 20 * MILLISECOND]),
    size=st.integers(0, 60_000),
    rcvbuf=st.sampled_from([2048, 20_000, 131_072]),
    has_sack=st.booleans(),
    cuts_segments=st.booleans(),
)
def test_every_byte_arrives_and_both_ends_close(seed, loss, duplicate, jitter, size, rcvbuf, has_sack, cuts_segments):
    world = World(seed, loss=loss, duplicate=duplicate, jitter=jitter, cuts_segments=cuts_segments)
    options = TcpOptions(retries=60, syn_retries=30, rcvbuf=rcvbuf, is_rcvbuf_fixed=True)
    listener = world.two.tcp.listen(world.two.tcp.bind(b"", 80, 4), 8, options)
    client = world.one.tcp.connect(None, pair.TWO4, 80, world.now, options)
    world.run(lambda: (listener.ready and client.state == ESTABLISHED) or client.state == CLOSED)
    if not listener.ready:
        assert loss == 0.25  # one segment of the handshake was lost each time
        return
    server = listener.accept()
    if not has_sack:
        client.has_sack = server.has_sack = False
    data = random.Random(seed).randbytes(size)
    try:
        assert world.transfer(client, server, data) == data
        assert world.transfer(server, client, data[::-1]) == data[::-1]
    except NetError:
        pytest.fail("the connection broke")
    client.shutdown(world.now, write=True)
    server.shutdown(world.now, write=True)
    assert world.run(lambda: client.state in (TIME_WAIT, CLOSED) and server.state in (TIME_WAIT, CLOSED))
    world.run(seconds=400)
    assert (client.state, server.state) == (CLOSED, CLOSED)


def test_loopback_hands_over_buffers():
    """Joined ends exchange no packets for data, keep to their buffers, and close through the usual states."""
    world = World()
    stack = world.one
    listener = stack.tcp.listen(stack.tcp.bind(b"", 80, 4), 8)
    client = stack.tcp.connect(None, b"\x7f\0\0\x01", 80, world.now)
    server = listener.accept()
    assert client.peer is server
    segments = stack.counters.tcp["OutSegs"]
    data = random.Random(1).randbytes(3_000_000)
    sent, got = 0, bytearray()
    while len(got) < len(data):
        while count := client.send(data[sent : sent + 65536], world.now):
            sent += count
            assert server.queue.length <= server.options.rcvbuf + client.options.sndbuf
            if sent >= len(data):
                break
        while chunk := server.receive(65536, world.now):
            got += chunk
    assert bytes(got) == data
    assert stack.counters.tcp["OutSegs"] == segments
    client.shutdown(world.now, write=True)
    assert server.receive(10, world.now) == b""
    assert server.send(b"late", world.now) == 4
    assert client.receive(10, world.now) == b"late"
    server.close(world.now)
    assert client.receive(10, world.now) == b""
    assert (client.state, server.state) == (TIME_WAIT, CLOSED)
    client.close(world.now)
    world.run(seconds=61)
    assert not stack.tcp.connections


def test_loopback_reset_reaches_the_peer():
    world = World()
    stack = world.one
    listener = stack.tcp.listen(stack.tcp.bind(b"", 80, 16), 8)
    client = stack.tcp.connect(None, bytes(15) + b"\x01", 80, world.now)
    server = listener.accept()
    client.send(b"unread", world.now)
    server.close(world.now)
    with pytest.raises(NetError) as caught:
        client.receive(10, world.now)
    assert caught.value.errno == 104
