"""The control protocol: round trips, and that nothing a peer sends does worse than ProtocolError."""

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.boot.control_protocol import ChannelClosed, ControlChannel, ProtocolError, decode, encode

SCALARS = st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 64) | st.binary(max_size=30) | st.text(max_size=30)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=20
).filter(lambda value: depth(value) < 8)


def depth(value):
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 0


@given(VALUES)
def test_round_trip(value):
    assert decode(encode(value)) == value


@given(st.binary(max_size=60) | VALUES.map(encode).map(lambda data: data[:-1]))
def test_rubbish_is_refused(data):
    try:
        decode(data)
    except ProtocolError:
        pass


@given(st.text(alphabet="iltdfneu0123456789:-", max_size=40))
def test_near_misses_are_refused(text):
    try:
        decode(text.encode())
    except ProtocolError:
        pass


def test_unknown_type():
    with pytest.raises(TypeError):
        encode(1.5)


@pytest.fixture
def pair():
    ends = [ControlChannel(end) for end in socket.socketpair()]
    yield ends
    for end in ends:
        end.close()


def test_messages_carry_descriptors(pair):
    reader, writer = os.pipe()
    pair[0].send("run", [writer], id=1)
    pair[0].send("signal", id=1, signo=15)
    messages = []
    while len(messages) < 2:
        messages += pair[1].receive()
    (first, fds), (second, none) = messages
    assert (first["kind"], second["kind"], none) == ("run", "signal", [])
    assert not os.get_inheritable(fds[0])
    os.write(fds[0], b"x")
    assert os.read(reader, 1) == b"x"
    for fd in (reader, writer, *fds):
        os.close(fd)


def test_large_message_in_pieces(pair):
    data = b"x" * 150_000
    pair[0].send("run", argv=[data])
    messages = []
    while not messages:
        messages = pair[1].receive()
    assert messages[0][0]["argv"] == [data]


def test_end_of_stream(pair):
    pair[0].close()
    with pytest.raises(ChannelClosed):
        pair[1].receive()
    with pytest.raises(ChannelClosed):
        pair[1].send("stop")


@pytest.mark.parametrize(
    "frame", [b"\xff\xff\xff\xff", b"\x01\0\0\0n", b"\x02\0\0\0de", b"\x03\0\0\0xyz", encode({"kind": "run", "fds": 1})]
)
def test_frames_that_are_no_messages(frame):
    ours, theirs = socket.socketpair()
    channel = ControlChannel(theirs)
    ours.sendall(frame if frame[:1] != b"d" else len(frame).to_bytes(4, "little") + frame)
    with pytest.raises(ProtocolError):
        channel.receive()
    channel.close()
    ours.close()
