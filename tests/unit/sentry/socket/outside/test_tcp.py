"""A guest's TCP sockets and a stack at the other end of the link."""

import random
import sys
from errno import (
    EADDRINUSE,
    EAGAIN,
    EALREADY,
    ECONNREFUSED,
    ECONNRESET,
    EINPROGRESS,
    ENETDOWN,
    ENETUNREACH,
    ENOTCONN,
    EPIPE,
    ETIMEDOUT,
)
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import pytest
from town import AF_INET, AF_INET6, FAR, NONBLOCK, OURS, PEER, PEER6, SOCK_STREAM, Town, digest

from sentry.boot.egress import policy
from sentry.host.link.errors import LinkLost
from sentry.netstack.interface import NetError
from sentry.vfs.readiness import POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP

SOL_SOCKET, SO_ERROR, SO_LINGER, SO_KEEPALIVE, SO_SNDBUF, SO_RCVBUF, SO_REUSEPORT, SO_REUSEADDR = 1, 4, 13, 9, 7, 8, 15, 2
MAPPED = bytes(10) + b"\xff\xff"
TCP, TCP_NODELAY, TCP_CORK, TCP_INFO, TCP_MAXSEG, TCP_USER_TIMEOUT = 6, 1, 3, 11, 2, 18


@pytest.fixture
def town():
    return Town()


def test_connect_send_and_receive(town):
    fd, far = town.connected()
    assert town.poll(fd) == POLLOUT
    assert town.option(fd, SOL_SOCKET, SO_ERROR) == bytes(4)
    assert town.guest.put(fd, b"question") == 8
    town.run()
    assert far.receive(100, town.now) == b"question"
    far.send(b"answer", town.now)
    town.run()
    assert town.poll(fd) & POLLIN
    assert town.guest.get(fd, 3) == b"ans"
    assert town.guest.get(fd, 100) == b"wer"
    assert town.guest.get(fd, 100) == -EAGAIN
    assert town.name_of("getsockname", fd)[0] == OURS
    assert town.name_of("getpeername", fd) == (PEER, 80)


def test_a_blocking_connect_waits_for_the_handshake(town):
    town.listening()
    fd = town.socket(AF_INET, SOCK_STREAM)
    town.guest.begin("connect", fd, town.guest.alloc(b"\2\0\0\x50" + PEER + bytes(8)), 16)
    assert town.guest.is_waiting
    town.run()
    assert town.guest.outcomes == [0]


def test_ipv6_through_the_same_door(town):
    listener = town.peer.tcp.listen(town.peer.tcp.bind(b"", 80, 16), 4)
    fd = town.socket(AF_INET6, SOCK_STREAM | NONBLOCK)
    assert town.call_address("connect", fd, PEER6, 80) == -EINPROGRESS
    town.run()
    far = listener.accept()
    town.guest.put(fd, b"six")
    town.run()
    assert far.receive(10, town.now) == b"six"


def test_a_port_that_nobody_has_refuses_and_the_socket_can_try_again(town):
    fd = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    assert town.call_address("connect", fd, PEER, 81) == -EINPROGRESS
    assert town.call_address("connect", fd, PEER, 81) == -EALREADY
    town.run()
    assert town.poll(fd) & (POLLERR | POLLHUP) == POLLERR | POLLHUP
    assert town.option(fd, SOL_SOCKET, SO_ERROR)[0] == ECONNREFUSED
    town.listening(82)
    assert town.call_address("connect", fd, PEER, 82) == -EINPROGRESS
    town.run()
    assert town.poll(fd) == POLLOUT


def test_who_never_answers_times_out(town):
    fd = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    town.losing = 1000
    assert town.call_address("connect", fd, FAR, 80) == -EINPROGRESS
    town.wait(lambda: town.poll(fd))
    assert town.option(fd, SOL_SOCKET, SO_ERROR)[0] in (ETIMEDOUT, 113)  # nobody answers ARP: EHOSTUNREACH


def test_no_route_is_told_at_once(town):
    fd = town.socket(AF_INET6, SOCK_STREAM | NONBLOCK)
    assert town.call_address("connect", fd, b"\x20\x01" + bytes(14), 80) == -ENETUNREACH


def test_two_megabytes_each_way_arrive_whole(town):
    data = random.Random(3).randbytes(2 << 20)
    fd, far = town.connected()
    sent = got = 0
    taken, echoed = bytearray(), bytearray()
    while len(echoed) < len(data):
        if sent < len(data):
            done = town.guest.put(fd, data[sent : sent + 60_000])
            sent += done if done > 0 else 0
        town.run()
        part = far.receive(1 << 20, town.now)
        taken += part or b""
        while got < len(taken):
            done = far.send(bytes(taken[got : got + 60_000]), town.now)
            if not done:
                break
            got += done
        town.run()
        while isinstance(part := town.guest.get(fd, 60_000), bytes):
            echoed += part
        if not town.link.out and not town.peer_link.out and len(echoed) < len(data):
            size = len(echoed), len(taken), sent
            town.wait(lambda: True)
            deadline = town.world.runner.next_deadline_ns()
            if deadline is not None and size == (len(echoed), len(taken), sent):
                town.world.now_ns = max(town.now, deadline)
                town.run()
    assert digest(echoed) == digest(data)
    assert town.kernel.limits.bytes_used == 0


def test_a_full_window_stops_the_sender_until_the_peer_reads(town):
    fd, far = town.connected()
    total = 0
    while (done := town.guest.put(fd, bytes(50_000))) > 0:
        total += done
        town.run()
    assert done == -EAGAIN
    assert not town.poll(fd) & POLLOUT
    assert town.kernel.limits.bytes_used >= 50_000
    read = 0
    while read < total:
        part = far.receive(1 << 20, town.now)
        read += len(part or b"")
        if not part:
            before = read
            town.wait(lambda: far.queue.length > 0)
            assert read == before
    town.wait(lambda: town.kernel.limits.bytes_used == 0)
    assert town.poll(fd) & POLLOUT


def test_half_closed_both_ways(town):
    fd, far = town.connected()
    assert town.guest.shutdown(fd, 1) == 0
    town.run()
    assert far.receive(10, town.now) == b""
    assert town.guest.put(fd, b"x") == -EPIPE
    far.send(b"still", town.now)
    town.run()
    assert town.guest.get(fd, 10) == b"still"
    far.shutdown(town.now, write=True)
    town.run()
    assert town.guest.get(fd, 10) == b""
    assert town.poll(fd) & (POLLHUP | POLLRDHUP) == POLLHUP | POLLRDHUP
    assert town.guest.close(fd) == 0


def test_a_reset_is_an_error_once(town):
    fd, far = town.connected()
    far.abort(town.now)
    town.run()
    assert town.poll(fd) & POLLERR
    assert town.guest.get(fd, 10) == -ECONNRESET
    assert town.guest.get(fd, 10) == 0 or town.guest.get(fd, 10) == b""
    assert town.name_of("getpeername", fd) == -ENOTCONN


def test_close_is_a_fin_and_with_linger_zero_or_unread_bytes_a_reset(town):
    fd, far = town.connected(80)
    town.guest.close(fd)
    town.run()
    assert far.receive(9, town.now) == b""
    fd, far = town.connected(81)
    assert town.set_option(fd, SOL_SOCKET, SO_LINGER, b"\1\0\0\0\0\0\0\0") == 0
    town.guest.close(fd)
    town.run()
    with pytest.raises(NetError):
        far.receive(9, town.now)
    fd, far = town.connected(82)
    far.send(b"unread", town.now)
    town.run()
    town.guest.close(fd)
    town.run()
    with pytest.raises(NetError):
        far.receive(9, town.now)
    assert town.kernel.limits.bytes_used == 0


def test_what_a_closed_socket_has_not_sent_stays_charged_until_it_is_sent(town):
    fd, far = town.connected()
    total = 0
    while (done := town.guest.put(fd, bytes(50_000))) > 0:
        total += done
        town.run()
    town.guest.close(fd)
    assert town.kernel.limits.bytes_used > 0
    read = 0
    while read < total:
        town.wait(lambda: far.queue.length > 0)
        read += len(far.receive(1 << 20, town.now))
    town.wait(lambda: town.kernel.limits.bytes_used == 0)
    assert read == total


def test_a_listener_takes_connections_from_the_link_and_from_inside(town):
    server = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    assert town.call_address("bind", server, bytes(4), 8080) == 0
    assert town.guest.listen(server, 5) == 0
    far = town.peer.tcp.connect(None, OURS, 8080, town.now)
    town.run()
    assert town.poll(server) == POLLIN
    end = town.guest.accept4(server, 0, 0, NONBLOCK)
    assert end >= 0
    assert town.name_of("getpeername", end) == (PEER, far.port)
    assert town.name_of("getsockname", end) == (OURS, 8080)
    far.send(b"from outside", town.now)
    town.run()
    assert town.guest.get(end, 100) == b"from outside"
    inside = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    assert town.call_address("connect", inside, OURS, 8080) == -EINPROGRESS
    frames = town.net.stack.devices[2].sent[0]
    assert town.guest.accept4(server, 0, 0, NONBLOCK) >= 0
    assert town.guest.put(inside, b"x") == 1
    assert town.net.stack.devices[2].sent[0] == frames  # the sandbox's own address: buffers, no packets


def test_a_listener_of_lo_is_not_seen_outside_and_a_closed_one_refuses(town):
    server = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    assert town.call_address("bind", server, b"\x7f\0\0\1", 8080) == 0
    assert town.guest.listen(server, 5) == 0
    far = town.peer.tcp.connect(None, OURS, 8080, town.now)
    town.run()
    assert far.take_error() == ECONNREFUSED
    other = town.socket(AF_INET6, SOCK_STREAM | NONBLOCK)
    assert town.call_address("bind", other, bytes(16), 8081) == 0
    assert town.guest.listen(other, 5) == 0
    ours6 = b"\xfd" + bytes(14) + b"\x0f"
    both = [town.peer.tcp.connect(None, OURS, 8081, town.now), town.peer.tcp.connect(None, ours6, 8081, town.now)]
    town.run()
    assert [one.take_error() for one in both] == [0, 0]
    town.guest.close(other)
    town.run()
    for one in both:
        with pytest.raises(NetError):
            one.receive(1, town.now)
    assert not town.net.stack.tcp.listeners


def test_a_full_backlog_waits_in_the_stack_and_is_bounded(town):
    server = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    assert town.call_address("bind", server, bytes(4), 8080) == 0
    assert town.guest.listen(server, 2) == 0
    for _ in range(40):
        town.peer.tcp.connect(None, OURS, 8080, town.now)
        town.run()
    assert len(town.net.stack.tcp.connections) < 40
    accepted = 0
    while town.guest.accept4(server, 0, 0, NONBLOCK) >= 0:
        accepted += 1
        town.run()
    assert 3 <= accepted <= 10


def test_two_listeners_of_one_port(town):
    fds = [town.socket(AF_INET, SOCK_STREAM) for _ in range(2)]
    for fd in fds:
        assert town.set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0
        assert town.call_address("bind", fd, bytes(4), 8080) == 0
        assert town.guest.listen(fd, 5) == 0
    third = town.socket(AF_INET, SOCK_STREAM)
    assert town.call_address("bind", third, bytes(4), 8080) == -EADDRINUSE


def test_options_reach_the_connection_before_and_after(town):
    town.listening()
    fd = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    assert town.set_option(fd, TCP, TCP_NODELAY, 1) == 0
    assert town.set_option(fd, SOL_SOCKET, SO_RCVBUF, 30_000) == 0
    town.call_address("connect", fd, PEER, 80)
    town.run()
    (connection,) = town.net.stack.tcp.connections.values()
    assert connection.options.no_delay
    assert connection.options.rcvbuf == 60_000
    assert town.set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) == 0
    assert connection.options.keepalive
    assert connection.idle_timer.deadline is not None
    assert town.set_option(fd, TCP, TCP_USER_TIMEOUT, 5000) == 0
    assert connection.options.user_timeout == 5_000_000_000
    assert town.set_option(fd, SOL_SOCKET, SO_SNDBUF, 10_000) == 0
    assert connection.options.sndbuf == 20_000
    assert int.from_bytes(town.option(fd, TCP, TCP_MAXSEG), "little") == 1448
    info = town.option(fd, TCP, TCP_INFO, 104)
    assert info[0] == 1
    assert info[5] == 7  # timestamps, SACK, window scaling


def test_cork_holds_back_until_it_is_taken_out(town):
    fd, far = town.connected()
    assert town.set_option(fd, TCP, TCP_CORK, 1) == 0
    town.guest.put(fd, b"one")
    town.run()
    assert far.receive(10, town.now) is None
    assert town.set_option(fd, TCP, TCP_CORK, 0) == 0
    town.run()
    assert far.receive(10, town.now) == b"one"


def test_dissolving_a_connection_resets_it_and_frees_the_socket(town):
    fd, far = town.connected()
    assert town.guest.connect(fd, town.guest.alloc(bytes(16)), 16) == 0
    town.run()
    with pytest.raises(NetError):
        far.receive(1, town.now)
    assert town.name_of("getpeername", fd) == -ENOTCONN
    assert town.guest.put(fd, b"x") == -EPIPE


def test_a_lost_link_ends_connections_and_new_ones_fail(town):
    fd, _ = town.connected()

    def lost():
        raise LinkLost("test")

    town.link.receive = lost
    town.link.close = lambda: None
    town.platform.ready(POLLIN)
    assert town.poll(fd) & (POLLERR | POLLHUP)
    assert town.guest.get(fd, 1) == -ENETDOWN
    other = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    assert town.call_address("connect", other, PEER, 80) == -ENETUNREACH


def test_what_the_policy_denies_is_refused_at_once_as_by_netfilter(town):
    town.net.policy = policy({"denied": ["10.0.2.0/24"]}, lambda: town.now)
    fd = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    assert town.call_address("connect", fd, PEER, 80) == -ECONNREFUSED
    mapped = town.socket(AF_INET6, SOCK_STREAM | NONBLOCK)
    assert town.call_address("connect", mapped, MAPPED + PEER, 80) == -ECONNREFUSED
    assert not town.net.stack.tcp.connections
    town.net.policy = policy({"denied": []}, lambda: town.now)
    town.listening()
    assert town.call_address("connect", fd, PEER, 80) == -EINPROGRESS


def served_and_closed(town, *options):
    """A guest's server that has closed first: its end of the connection is in TIME_WAIT."""
    fd = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    for option in options:
        town.set_option(fd, SOL_SOCKET, option, 1)
    assert town.call_address("bind", fd, OURS, 8080) == 0
    town.guest.listen(fd, 4)
    far = town.peer.tcp.connect(None, OURS, 8080, town.now)
    town.run()
    end = town.guest.accept4(fd, 0, 0, NONBLOCK)
    assert town.guest.close(end) == town.guest.close(fd) == 0
    town.run()
    far.close(town.now)
    town.run()
    assert [one.state for one in town.net.stack.tcp.connections.values()] == [6]


def test_bind_sees_time_wait(town):
    served_and_closed(town, SO_REUSEADDR)
    plain, again = (town.socket(AF_INET, SOCK_STREAM | NONBLOCK) for _ in range(2))
    assert town.call_address("bind", plain, OURS, 8080) == -EADDRINUSE
    assert town.call_address("bind", plain, bytes(4), 8080) == -EADDRINUSE
    assert town.call_address("bind", plain, b"\x7f\0\0\1", 8080) == 0
    town.set_option(again, SOL_SOCKET, SO_REUSEADDR, 1)
    assert town.call_address("bind", again, OURS, 8080) == 0


def test_time_wait_of_a_server_that_did_not_share_passes(town):
    served_and_closed(town)
    fd = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    town.set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    assert town.call_address("bind", fd, OURS, 8080) == -EADDRINUSE
    town.wait(lambda: not town.net.stack.tcp.connections)
    assert town.call_address("bind", fd, OURS, 8080) == 0


def test_neighbours_are_shown(town):
    from sentry.fs.proc.net.tables import arp
    from sentry.socket.netlink import route
    from sentry.socket.netlink.message import Request, attributes

    town.connected()
    line = arp(town.guest.task).splitlines()[1]
    assert line == b"10.0.2.2         0x1         0x2         02:00:00:00:00:02     *        eth0"
    body = bytes((AF_INET,)) + bytes(11)
    ((kind, told),) = route.dump(town.net.devices, Request(30, 0x301, 1, body, b""), is_strict=False)
    assert (kind, told[:12]) == (28, b"\2\0\0\0\2\0\0\0\2\0\0\1")  # reachable
    assert attributes(told[12:]) == {1: PEER, 2: b"\2\0\0\0\0\2"}
    town.world.now_ns += 31 * 10**9
    ((_, told),) = route.dump(town.net.devices, Request(30, 0x301, 1, body, b""), is_strict=False)
    assert told[8] == 4  # stale
    assert route.dump(town.net.devices, Request(30, 0x301, 1, bytes((AF_INET6,)) + bytes(11), b""), is_strict=False) == []


def asked(text, id):
    labels = b"".join(bytes((len(label),)) + label.encode() for label in text.split("."))
    message = id.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"
    return len(message).to_bytes(2, "big") + message


def test_questions_over_tcp_are_read_before_they_leave(town):
    town.net.policy = policy({"allowed": [("example.org", 80)], "resolvers": ["10.0.2.2"]}, lambda: town.now)
    fd, far = town.connected(53)
    good = asked("example.org", 1)
    assert town.guest.put(fd, good[:5]) == 5
    assert town.guest.put(fd, good[5:]) == len(good) - 5
    town.run()
    assert far.receive(1000, town.now) == good
    answer = asked("example.org", 1)[2:]
    answer = answer[:2] + b"\x81\x80\0\1\0\1" + answer[8:] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + FAR
    far.send(len(answer).to_bytes(2, "big") + answer, town.now)
    town.run()
    other = town.socket(AF_INET, SOCK_STREAM | NONBLOCK)
    assert town.call_address("connect", other, FAR, 80) == -ECONNREFUSED  # the program has not read it yet
    assert town.guest.get(fd, 1000)[2:] == answer
    assert town.call_address("connect", other, FAR, 80) == -EINPROGRESS
    bad = asked("evil.example", 2)
    assert town.guest.put(fd, bad[:-1]) == len(bad) - 1
    assert town.guest.put(fd, bad[-1:]) == -ECONNRESET
    town.run()
    assert far.receive(1000, town.now, is_peek=True) == bad[:-1]
    assert far.error == ECONNRESET
    assert town.guest.put(fd, b"x") == -EPIPE
    town.guest.close(other)
    town.guest.close(fd)
    town.run()
    assert town.kernel.limits.bytes_used == 0


def test_memory_that_is_not_there_closes_the_window_and_grows_nothing(town):
    fd, far = town.connected()
    limits = town.kernel.limits
    limits.bytes_max = limits.bytes_used + 20_000
    for _ in range(100):
        far.send(bytes(60_000), town.now)
        town.run()
    (connection,) = town.net.stack.tcp.connections.values()
    assert connection.queue.length <= 131_072
    assert limits.bytes_used <= limits.bytes_max
    got = 0
    while isinstance(part := town.guest.get(fd, 60_000), bytes):
        got += len(part)
    assert got
    assert limits.bytes_used == 0


def test_proc_net_tcp_shows_the_connection(town):
    from sentry.fs.proc.net.inet import tcp

    town.connected()
    text = tcp(AF_INET)(town.guest.task).decode()
    assert " 0F02000A:" in text
    assert "0202000A:0050 01 " in text
