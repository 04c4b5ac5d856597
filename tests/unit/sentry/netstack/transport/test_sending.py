"""What send(2) says in each state of a connection (RFC 9293 section 3.10.2), and how a window that is shut is probed."""

import pytest
from netstack_script import MS, PEER, S, Script

from sentry.netstack.interface import NetError
from sentry.netstack.transport.tcp.options import TcpOptions
from syscalls.abi.errno import ENOTCONN, EPIPE, ETIMEDOUT


@pytest.fixture
def s() -> Script:
    return Script()


def test_before_the_handshake_there_is_no_room(s: Script) -> None:
    c = s.stack.tcp.connect(None, PEER, 40000, s.now)
    assert c.send(b"early", s.now) == 0


def test_after_a_shutdown_it_is_a_broken_pipe(s: Script) -> None:
    c = s.connect()
    assert c.send(b"abc", s.now) == 3
    c.shutdown(s.now, write=True)
    with pytest.raises(NetError) as caught:
        c.send(b"x", s.now)
    assert caught.value.errno == EPIPE


def test_a_reset_is_told_once_then_the_pipe_is_broken(s: Script) -> None:
    c = s.connect()
    s.send("R", 1)
    with pytest.raises(NetError) as caught:
        c.send(b"x", s.now)
    first = caught.value.errno
    with pytest.raises(NetError) as caught:
        c.send(b"x", s.now)
    assert caught.value.errno == EPIPE
    assert first not in (EPIPE, ENOTCONN)


def test_a_buffer_takes_what_it_has_room_for(s: Script) -> None:
    c = s.connect(mss=1000)
    s.send(".", 1, 1, window=0)
    taken = 0
    for _ in range(100_000):
        count = c.send(bytes(3000), s.now)
        taken += count
        if count < 3000:
            break
    assert taken == c.options.sndbuf
    assert c.send(b"x", s.now) == 0


@pytest.mark.parametrize("is_answered", [True, False])
def test_probes_go_on_while_they_are_answered(s: Script, is_answered: bool) -> None:
    c = s.connect(TcpOptions(retries=3), mss=1000)
    s.send(".", 1, 1, window=0)
    c.send(b"data", s.now)
    probes = 0
    for _ in range(40):
        s.wait(S)
        while s.sent:
            s.sent.pop()
            probes += 1
            if is_answered:
                s.send(".", 1, 1, window=0)
        if c.error:
            break
    assert probes >= 3
    if is_answered:
        assert c.error == 0
        s.send(".", 1, 1, window=1000)
        s.wait(200 * MS)
        s.expect("P.", seq=1, ack=1, data=b"data")
    else:
        assert c.error == ETIMEDOUT
