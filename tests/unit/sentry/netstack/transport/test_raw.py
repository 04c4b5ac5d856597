"""Ping and raw endpoints (icmp(7), raw(7)): what they tell of an answer, who gets it, and what they refuse."""

from errno import EADDRINUSE, EDESTADDRREQ, EHOSTUNREACH, EINVAL, ENETUNREACH

import netstack_pair as pair
import pytest

from sentry.netstack.interface import NetError
from sentry.netstack.wire import icmp

ECHO = b"\x08\0\0\0\x09\x09\0\x01"


@pytest.fixture
def world():
    return pair.World()


def errno_of(function, *arguments):
    with pytest.raises(NetError) as caught:
        function(*arguments)
    return caught.value.errno


def test_an_answer_tells_where_it_came_from_and_how(world):
    ping = world.one.raw.create_ping(4)
    ping.ttl, ping.tos = 9, 0x10
    assert ping.send(ECHO + b"data", world.now, pair.TWO4) == 12
    world.run(seconds=0.1)
    answer = ping.receive()
    assert (answer.source, answer.port, answer.destination, answer.interface) == (pair.TWO4, 0, pair.ONE4, world.ends[0][1])
    assert (answer.ttl, answer.payload[0], answer.payload[6:]) == (64, 0, b"\0\x01data")
    assert answer.payload[4:6] == ping.identifier.to_bytes(2, "big")  # its own, whatever the caller had put there
    assert 0 < answer.at <= world.now


def test_each_endpoint_gets_the_answers_to_its_own_requests(world):
    one, two = world.one.raw.create_ping(4), world.one.raw.create_ping(4)
    one.bind(b"", 77)
    two.bind(b"", 78)
    two.send(ECHO + b"two", world.now, pair.TWO4)
    world.run(seconds=0.1)
    assert not one.queue
    assert two.receive().payload[8:] == b"two"


def test_an_identifier_is_one_endpoints_until_it_is_closed(world):
    raw = world.one.raw
    one, two, other = raw.create_ping(4), raw.create_ping(4), raw.create_ping(16)
    one.bind(b"", 77)
    assert errno_of(two.bind, b"", 77) == EADDRINUSE
    other.bind(b"", 77)  # another family counts on its own
    one.close()
    two.bind(b"", 77)
    free = raw.create_ping(4)
    free.bind(b"", 0)
    assert 1 <= free.identifier <= 65535
    assert raw.pings[4, free.identifier] is free


def test_only_echo_requests_are_sent(world):
    ping = world.one.raw.create_ping(4)
    for payload in (ECHO[:7], b"\0" + ECHO[1:], b"\x08\x01" + ECHO[2:], b"\x80" + ECHO[1:]):
        assert errno_of(ping.send, payload, world.now, pair.TWO4) == EINVAL
    assert errno_of(ping.send, ECHO, world.now) == EDESTADDRREQ
    assert errno_of(ping.send, ECHO, world.now, bytes((192, 0, 2, 1))) == ENETUNREACH


def test_raw_endpoints_get_what_fits_their_addresses(world):
    receiver = world.two.raw
    every, here, elsewhere = (receiver.create(4, 253) for _ in range(3))
    from_one, from_other, other_protocol = receiver.create(4, 253), receiver.create(4, 253), receiver.create(4, 252)
    here.bind(pair.TWO4)
    elsewhere.bind(bytes((10, 0, 0, 99)))
    from_one.connect(pair.ONE4)
    from_other.connect(bytes((10, 0, 0, 99)))
    sender = world.one.raw.create(4, 253)
    assert errno_of(sender.send, b"abc", world.now) == EDESTADDRREQ
    assert errno_of(sender.send, b"abc", world.now, bytes((192, 0, 2, 1))) == ENETUNREACH
    sender.connect(pair.TWO4)
    assert sender.send(b"abc", world.now) == 3
    world.run(seconds=0.1)
    got = [len(one.queue) for one in (every, here, elsewhere, from_one, from_other, other_protocol)]
    assert got == [1, 1, 0, 1, 0, 0]
    every.close()
    assert every not in receiver.endpoints


def test_rfc3542_3_1_the_checksum_of_icmpv6_is_the_stacks(world):
    sender, receiver = world.one.raw.create(16, icmp.PROTOCOL6), world.two.raw.create(16, icmp.PROTOCOL6)
    assert errno_of(sender.send, b"\x80\0\0\0", world.now, pair.TWO6) == EINVAL
    assert sender.send(b"\xc8\0\xff\xff\0\0\0\x05rest", world.now, pair.TWO6) == 12
    world.run(seconds=0.1)
    got = [one.payload for one in receiver.queue if one.payload[0] == 0xC8]
    assert [(one[4:8], one[8:]) for one in got] == [(b"\0\0\0\x05", b"rest")]
    assert got[0][2:4] != b"\xff\xff"


def test_an_icmp_error_reaches_the_endpoint_whose_request_it_quotes(world):
    """icmp(7), ip(7) IP_RECVERR: the error queue has what was sent, behind the ICMP header."""
    ping, other = world.one.raw.create_ping(4), world.one.raw.create_ping(4)
    nobody = bytes((10, 0, 0, 77))
    for endpoint in (ping, other):
        endpoint.wants_errors = True
        endpoint.bind(b"", 0)
    ping.send(ECHO + b"data", world.now, nobody)
    world.run(seconds=5)
    assert ping.take_error() == EHOSTUNREACH
    error = ping.errors.popleft()
    assert (error.errno, error.origin, error.destination, error.port) == (EHOSTUNREACH, 2, nobody, 0)
    assert error.payload == b"data"
    assert not other.errors
    assert not other.take_error()
