"""What the RFCs ask of TCP, one named scenario each."""

import netstack_pair as pair
import pytest
from netstack_script import MS, PEER, S, Script

from sentry.netstack.iface.icmp import IcmpError
from sentry.netstack.interface import NetError
from sentry.netstack.transport.tcp import output, timers
from sentry.netstack.transport.tcp.info import info
from sentry.netstack.transport.tcp.options import TcpOptions
from sentry.netstack.transport.tcp.state import (
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIN_WAIT1,
    FIN_WAIT2,
    LAST_ACK,
    SYN_RECV,
    TIME_WAIT,
)
from sentry.netstack.wire import icmp, ipv4
from sentry.netstack.wire.packet import Packet

NO_DELAY = TcpOptions(no_delay=True)


@pytest.fixture
def s():
    return Script()


def test_rfc9293_3_5_handshake_as_client(s):
    c = s.connect()
    assert c.state == ESTABLISHED
    s.nothing()


def test_rfc9293_3_5_simultaneous_open(s):
    c = s.stack.tcp.connect(None, PEER, 40000, s.now)
    s.host_port = c.port
    s.expect("S", seq=0)
    s.send("S", 0, mss=1000)
    s.expect("S.", seq=0, ack=1)
    assert c.state == SYN_RECV
    s.send("S.", 0, 1)  # out of the window by now: answered, and its sender acknowledges
    s.send(".", 1, 1)
    assert c.state == ESTABLISHED


def test_rfc9293_3_10_7_1_a_segment_to_nobody_is_reset(s):
    s.send("S", 5)
    reset = s.sent.pop()
    assert (reset.flags, reset.seq, reset.ack) == (0x14, 0, s.irs + 6)
    s.send(".", 5, 77)
    reset = s.sent.pop()
    assert (reset.flags, reset.seq) == (0x04, 77)
    s.send("R", 5)
    s.nothing()


def test_rfc9293_3_10_7_3_refused(s):
    c = s.stack.tcp.connect(None, PEER, 40000, s.now)
    s.host_port = c.port
    s.expect("S")
    s.send("R.", 0, 1)
    assert (c.state, c.take_error()) == (CLOSED, 111)


def test_rfc9293_3_6_close_by_us(s):
    c = s.accept()
    c.shutdown(s.now, write=True)
    s.expect("F.", seq=1, ack=1)
    assert c.state == FIN_WAIT1
    s.send(".", 1, 2)
    assert c.state == FIN_WAIT2
    s.send("F.", 1, 2)
    s.expect(".", seq=2, ack=2)
    assert c.state == TIME_WAIT
    s.wait(61 * S)
    assert c.state == CLOSED
    assert not s.stack.tcp.connections


def test_rfc9293_3_6_close_by_peer(s):
    c = s.accept()
    s.send("F.", 1, 1)
    s.expect(".", ack=2)
    assert (c.state, c.receive(1, s.now)) == (CLOSE_WAIT, b"")
    c.close(s.now)
    s.expect("F.", seq=1, ack=2)
    assert c.state == LAST_ACK
    s.send(".", 2, 2)
    assert c.state == CLOSED


def test_rfc9293_3_6_simultaneous_close(s):
    c = s.accept()
    c.shutdown(s.now, write=True)
    s.expect("F.", seq=1)
    s.send("F.", 1, 1)
    s.expect(".", seq=2, ack=2)
    s.send(".", 2, 2)
    assert c.state == TIME_WAIT


def test_rfc2525_2_17_close_with_unread_data_resets(s):
    c = s.accept()
    s.send("P.", 1, 1, b"abc")
    s.expect(".", ack=4)
    c.close(s.now)
    s.expect("R.", seq=1)
    assert c.state == CLOSED


def test_linger_zero_resets(s):
    c = s.accept(TcpOptions(linger=0))
    c.close(s.now)
    s.expect("R.", seq=1)


def test_rfc9293_3_10_7_4_data_to_a_closed_socket_is_reset(s):
    c = s.accept()
    c.close(s.now)
    s.expect("F.", seq=1)
    s.send(".", 1, 2)
    s.send("P.", 1, 2, b"late")
    s.expect("R", seq=2)
    assert c.state == CLOSED


def test_rfc5961_3_reset_in_the_window_is_challenged_exact_one_resets(s):
    c = s.accept()
    s.send("R", 100)
    s.expect(".", seq=1, ack=1)
    assert c.state == ESTABLISHED
    s.send("R", 1)
    assert (c.state, c.error) == (CLOSED, 104)


def test_rfc5961_4_syn_is_challenged(s):
    c = s.accept()
    s.send("S", 1)
    s.expect(".", seq=1, ack=1)
    assert c.state == ESTABLISHED


def test_rfc5961_5_impossible_acknowledgements_are_challenged_and_dropped(s):
    c = s.accept()
    s.send("P.", 1, 50, b"forged")
    s.expect(".", ack=1)
    s.wait(S)
    s.send("P.", 1, -200_000, b"forged")
    s.expect(".", ack=1)
    assert not c.queue.length


def test_rfc5961_7_challenges_are_limited(s):
    s.accept()
    for _ in range(50):
        s.send("S", 1)
    assert len(s.sent) == 1


def test_rfc1337_reset_does_not_end_time_wait(s):
    c = s.accept()
    c.shutdown(s.now, write=True)
    s.send("F.", 1, 2)
    s.send("R", 2)
    assert c.state == TIME_WAIT


def test_rfc6191_a_newer_syn_opens_again_out_of_time_wait(s):
    c = s.accept()
    c.shutdown(s.now, write=True)
    s.send("F.", 1, 2)
    assert c.state == TIME_WAIT
    s.sent.clear()
    s.send("S", 1000, mss=1000)
    s.expect("S.", ack=1001)
    assert c.state == CLOSED


def test_rfc6528_first_numbers_differ_and_move_with_time(s):
    first = s.stack.tcp.initial_sequence(b"a" * 4, 1, b"b" * 4, 2)
    assert first != s.stack.tcp.initial_sequence(b"a" * 4, 1, b"b" * 4, 3)
    s.stack.now += 4 * MS
    assert s.stack.tcp.initial_sequence(b"a" * 4, 1, b"b" * 4, 2) == first + 1000


def test_rfc7323_2_windows_are_scaled_only_if_both_say_so(s):
    c = s.accept(scale=3, window=1000)
    assert (c.snd_wnd, c.rcv_scale) == (8000, 7)
    other = Script().accept(window=1000)
    assert (other.snd_wnd, other.rcv_scale) == (1000, 0)


def test_rfc7323_3_timestamps_are_echoed(s):
    c = s.accept(stamp=500, window=65535)
    assert c.has_stamps
    s.send("P.", 1, 1, b"x", stamp=777)
    assert s.expect(".", ack=2).stamp_echo == 777


def test_rfc7323_3_2_a_segment_without_timestamp_is_dropped(s):
    c = s.accept(stamp=500)
    s.send("P.", 1, 1, b"x")
    assert not c.queue.length


def test_rfc7323_5_paws_drops_old_segments(s):
    c = s.accept(stamp=500)
    s.send("P.", 1, 1, b"old", stamp=400)
    s.expect(".", ack=1)
    assert not c.queue.length
    assert s.stack.counters.tcp["PAWSEstab"] == 1
    s.send("P.", 1, 1, b"new", stamp=501)
    assert c.queue.length == 3


def test_rfc2018_blocks_tell_what_came_early(s):
    c = s.accept(is_sack_permitted=True)
    s.send(".", 101, 1, b"b" * 100)
    s.expect(".", ack=1, sacks=[(s.irs + 101, s.irs + 201)])
    s.send(".", 301, 1, b"d" * 100)
    s.expect(".", ack=1, sacks=[(s.irs + 301, s.irs + 401), (s.irs + 101, s.irs + 201)])
    s.send(".", 1, 1, b"a" * 100)
    s.expect(".", ack=201, sacks=[(s.irs + 301, s.irs + 401)])
    assert c.receive(1000, s.now) == b"a" * 100 + b"b" * 100


def test_rfc6298_5_timeout_doubles_and_one_segment_goes(s):
    c = s.accept()
    c.send(b"x" * 3000, s.now)
    assert len(s.sent) == 3
    s.sent.clear()
    s.wait(900 * MS)
    again = [one for one in s.sent if one.payload]
    assert again
    assert all(one.seq == s.iss + 1 & 0xFFFFFFFF for one in again)
    assert c.congestion.window == c.mss
    assert c.rtt.backoff == len(again)


def test_rfc6298_3_karn_no_sample_from_a_repetition(s):
    c = s.accept()
    before = c.rtt.srtt
    c.send(b"x", s.now)
    s.wait(250 * MS)
    s.send(".", 1, 2)
    assert c.rtt.srtt == before


def test_r2_the_connection_times_out_in_the_end(s):
    c = s.accept(TcpOptions(retries=4))
    c.send(b"x", s.now)
    s.wait(100 * S)
    assert (c.state, c.error) == (CLOSED, 110)


def test_rfc5482_user_timeout(s):
    c = s.accept(TcpOptions(user_timeout=2 * S))
    c.send(b"x", s.now)
    s.wait(5 * S)
    assert (c.state, c.error) == (CLOSED, 110)


def test_syn_is_sent_again_and_given_up(s):
    c = s.stack.tcp.connect(None, PEER, 40000, s.now, TcpOptions(syn_retries=3))
    s.wait(60 * S)
    assert len(s.sent) == 4
    assert (c.state, c.error) == (CLOSED, 110)


def test_rfc5681_3_2_three_duplicates_resend_at_once(s):
    c = s.accept()
    c.send(b"x" * 8000, s.now)
    s.sent.clear()
    for _ in range(2):
        s.send(".", 1, 1)
    s.nothing()
    s.send(".", 1, 1)
    assert s.expect(".", seq=1, data=b"x" * 1000)
    assert c.congestion.window < 8000
    assert s.stack.counters.tcp["TCPFastRetrans"] == 1


def test_rfc6582_3_2_a_partial_acknowledgement_resends_the_next_hole(s):
    c = s.accept(TcpOptions(congestion="reno"))
    c.send(b"x" * 8000, s.now)
    for _ in range(3):
        s.send(".", 1, 1)
    s.sent.clear()
    s.send(".", 1, 2001)
    assert s.sent[0].seq == s.iss + 2001 & 0xFFFFFFFF
    s.send(".", 1, 8001)
    assert c.recover is None


def test_rfc6675_only_holes_are_sent_again(s):
    c = s.accept(is_sack_permitted=True)
    c.send(b"x" * 10_000, s.now)
    s.sent.clear()
    blocks = [(s.iss + 1001, s.iss + 3001), (s.iss + 4001, s.iss + 9001)]
    s.send(".", 1, 1, sacks=blocks)
    assert {one.seq - s.iss for one in s.sent} == {1, 3001}
    assert info(c).ca_state == 3


def test_rfc2018_8_blocks_are_forgotten_at_a_timeout(s):
    c = s.accept(is_sack_permitted=True)
    c.send(b"x" * 3000, s.now)
    s.send(".", 1, 1, sacks=[(s.iss + 1001, s.iss + 2001)])
    assert c.board.sacked == 1000
    s.wait(300 * MS)
    assert c.board.sacked == 0


def test_rfc9438_4_6_cubic_shrinks_to_seven_tenths():
    c = Script().accept()
    window = c.congestion.window = 100_000
    c.congestion.on_loss(window, 0)
    assert c.congestion.window == 70_000


def test_rfc9438_4_2_cubic_comes_back_to_where_it_was():
    c = Script().accept()
    control = c.congestion
    control.window = 100 * c.mss
    control.on_loss(control.window, 0)
    now = 0
    while control.window < 99 * c.mss:
        now += 200 * MS
        control.on_ack(control.window, now, 200 * MS)
    assert 2 * S < now < 5 * S  # K = cbrt(30 / 0.4) = 4.2 s


def test_rfc6928_ten_segments_at_first(s):
    c = s.accept()
    c.send(b"x" * 50_000, s.now)
    assert len(s.sent) == 10


def test_rfc5681_4_1_an_idle_connection_begins_small(s):
    c = s.accept()
    c.congestion.window = 100_000
    c.send(b"x", s.now)
    s.send(".", 1, 2)
    s.now += 10 * S
    s.sent.clear()
    c.send(b"x" * 50_000, s.now)
    assert len(s.sent) == 10


def test_nagle_rfc9293_3_7_4(s):
    c = s.accept()
    c.send(b"a", s.now)
    s.expect(".P", data=b"a")
    c.send(b"b", s.now)
    c.send(b"c", s.now)
    s.nothing()
    s.send(".", 1, 2)
    s.expect(".P", data=b"bc")
    other = Script()
    c = other.accept(NO_DELAY)
    c.send(b"a", other.now)
    c.send(b"b", other.now)
    assert len(other.sent) == 2


def test_cork_holds_for_200_ms(s):
    c = s.accept(TcpOptions(cork=True))
    c.send(b"a", s.now)
    s.nothing()
    s.wait(199 * MS)
    s.nothing()
    s.wait(2 * MS)
    s.expect(".P", data=b"a")


def test_cork_pulled_sends(s):
    c = s.accept(TcpOptions(cork=True))
    c.send(b"a", s.now)
    c.options.cork = False
    output.output(c)
    s.expect(".P", data=b"a")


def test_delayed_ack_rfc9293_3_8_6_3(s):
    c = s.accept()
    c.quick_acks = 0
    s.send(".", 1, 1, b"x" * 100)
    s.nothing()
    s.wait(40 * MS)
    s.expect(".", ack=101)
    s.send(".", 101, 1, b"x" * 100)
    s.send(".", 201, 1, b"x" * 100)
    s.expect(".", ack=301)


def test_zero_window_is_probed_rfc9293_3_8_6_1(s):
    c = s.accept(window=0)
    c.send(b"data", s.now)
    s.nothing()
    s.wait(1100 * MS)
    s.expect(".", seq=0)  # one below: it must be answered
    for _ in range(30):
        s.send(".", 1, 1, window=0)
        s.wait(130 * S)
    assert c.state == ESTABLISHED
    s.sent.clear()
    s.send(".", 1, 1, window=1000)
    s.expect(".P", seq=1, data=b"data")


def test_an_orphan_does_not_wait_for_a_window_for_ever(s):
    c = s.accept(window=0)
    c.send(b"data", s.now)
    c.close(s.now)
    for _ in range(30):
        s.wait(60 * S)
        s.send(".", 1, 1, window=0)
    assert c.state == CLOSED


def test_receiver_announces_no_silly_windows_rfc9293_3_8_6_2_2(s):
    c = s.accept(TcpOptions(rcvbuf=4000, is_rcvbuf_fixed=True))
    for at in range(4):
        s.send(".", 1 + at * 1000, 1, b"x" * 1000)
    assert s.sent[-1].window == 0
    s.sent.clear()
    c.receive(100, s.now)
    s.nothing()
    c.receive(3000, s.now)
    assert s.expect(".", ack=4001).window == 3100


def test_data_beyond_the_window_is_cut(s):
    c = s.accept(TcpOptions(rcvbuf=1000, is_rcvbuf_fixed=True))
    s.send("P.", 1, 1, b"x" * 1400)
    assert c.queue.length == 1000
    s.send("P.", 1001, 1, b"y")
    assert c.queue.length == 1000


def test_keepalive_rfc9293_3_8_4(s):
    options = TcpOptions(keepalive=True, keep_idle=10 * S, keep_interval=S, keep_count=3)
    c = s.accept(options)
    s.wait(10 * S)
    s.expect(".", seq=0)
    s.send(".", 1, 1)
    s.wait(9 * S)
    s.nothing()
    s.wait(5 * S)
    assert (c.state, c.error) == (CLOSED, 110)
    assert s.sent[-1].flags & 4


def test_keepalive_begins_when_it_is_set(s):
    c = s.accept()
    c.options.keepalive, c.options.keep_idle = True, S
    timers.start_keepalive(c)
    s.wait(2 * S)
    assert s.sent


def test_fin_wait_2_of_an_orphan_ends(s):
    c = s.accept()
    c.close(s.now)
    s.send(".", 1, 2)
    assert c.state == FIN_WAIT2
    s.wait(61 * S)
    assert c.state == CLOSED


def test_syn_backlog_is_limited(s):
    s.listen(backlog=4)
    for port in range(100):
        s.port = 1000 + port
        s.send("S", 0)
    assert len(s.stack.tcp.connections) == 16
    s.wait(200 * S)  # the peers never answer
    assert not s.stack.tcp.connections


def test_a_full_accept_queue_leaves_the_client_waiting(s):
    s.listen(backlog=0)
    for port in (1, 2):
        s.port = port
        s.send("S", 0)
        s.expect("S.") if s.sent else None
        s.send(".", 1, 1)
    assert len(s.listener.ready) == 1


def test_urgent_data_is_data(s):
    c = s.accept()
    s.send("UP.", 1, 1, b"abc")
    assert c.receive(3, s.now) == b"abc"


def test_path_mtu_rfc1191_smaller_segments_after_a_routers_word():
    world = pair.World()
    client, server, _ = world.connect()
    client.send(b"x" * 1400, world.now)
    sent = world.trace[-1][2][14:]
    message = icmp.emit4(icmp.Message(3, 4, 1000, sent[:48]))
    router = bytes((10, 0, 0, 9))
    stack, index = world.ends[0]
    frame = world.wires[0].mac + b"\x02\0\0\0\0\x09\x08\x00" + ipv4.emit(Packet(router, pair.ONE4, 1, message), 1, 0)
    stack.receive(index, frame, world.now)
    assert client.mtu == 1000
    del world.trace[:]
    got = world.transfer(client, server, b"y" * 5000)
    world.run(seconds=1)
    assert got + server.receive(9000, world.now) == b"x" * 1400 + b"y" * 5000
    assert max(len(frame) for _, _, frame in world.trace) == 1014


def test_icmp_for_numbers_not_in_flight_is_ignored_rfc5927(s):
    c = s.accept()
    quoted = c.port.to_bytes(2, "big") + c.remote_port.to_bytes(2, "big") + bytes(4)
    s.stack.tcp.handle_error(c.local, c.remote, quoted, IcmpError(90, False, 3, 4, 600, PEER))
    assert c.mtu == 1500


def test_send_after_shutdown_is_epipe(s):
    c = s.accept()
    c.shutdown(s.now, write=True)
    with pytest.raises(NetError) as caught:
        c.send(b"x", s.now)
    assert caught.value.errno == 32


def test_sequence_numbers_wrap(s):
    s.irs = 0xFFFFFFFF - 1500
    c = s.accept()
    for at in range(4):
        s.send(".", 1 + at * 1000, 1, bytes((at,)) * 1000)
    assert c.receive(9000, s.now) == b"".join(bytes((at,)) * 1000 for at in range(4))
