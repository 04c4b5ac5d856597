"""Sending segments: what, when and how much (RFC 9293 section 3.8, RFC 5681, RFC 6675 section 5, RFC 1122 section 4.2.3.4)."""

from typing import TYPE_CHECKING

from sentry.netstack.interface import MILLISECOND
from sentry.netstack.transport.tcp.congestion import INITIAL_SEGMENTS
from sentry.netstack.transport.tcp.options import CORK_TIME, DELAYED_ACK, WINDOW_SCALE
from sentry.netstack.transport.tcp.scoreboard import Record
from sentry.netstack.transport.tcp.state import CLOSED, SENDS, SYN_RECV, SYN_SENT, TIME_WAIT
from sentry.netstack.wire import tcp as wire
from sentry.netstack.wire.packet import Packet
from sentry.netstack.wire.tcp import ACK, FIN, PSH, RST, SYN

if TYPE_CHECKING:
    from sentry.netstack.transport.tcp.connection import Connection

_SACKS_MAX = 3  # beside timestamps (RFC 2018 section 3)
_CHALLENGE_INTERVAL = 500 * MILLISECOND  # Linux: net.ipv4.tcp_invalid_ratelimit


def transmit(c: "Connection", seq: int, flags: int, payload: bytes = b"") -> None:
    """Send one segment with the current acknowledgement, window and options; one that is too large for a packet the link cuts."""
    stack = c.stack
    options = b""
    if c.has_stamps:
        stamp = (stack.now // MILLISECOND + c.stamp_offset) & 0xFFFFFFFF
        options = wire.stamp_options(stamp, c.stamp_recent)
    if c.queue.parts and c.has_sack and (count := min((c.mss - len(payload) - 4) // 8, _SACKS_MAX + (not c.has_stamps))) > 0:
        blocks = wire.Segment(0, 0, 0, 0, 0, 0, b"")
        blocks.sacks = c.queue.blocks(count)
        options += wire.options_of(blocks)
    window = c.receive_window() >> c.rcv_scale
    window = min(window, 0xFFFF)
    ack = 0
    if flags & ACK:
        ack = c.rcv_nxt
        c.rcv_adv = max(c.rcv_adv, ack + (window << c.rcv_scale))
        c.last_ack_sent = ack
        c.ack_pending = 0
        c.ack_timer.deadline = None
    is_large = len(payload) > c.mss
    emit = wire.emit_large if is_large else wire.emit_with
    data = emit(c.port, c.remote_port, seq, ack, flags, window, options, payload, c.pseudo)
    stack.counters.tcp["OutSegs"] += 1
    send_packet(c, data, is_large=is_large)


def send_packet(c: "Connection", data: bytes, *, is_large: bool = False) -> None:
    """Hand a segment to IP, unfragmented where the path's MTU is being found (RFC 1191)."""
    packet = Packet(c.local, c.remote, wire.PROTOCOL, data, c.options.ttl, c.options.tos)
    packet.is_large = is_large
    c.stack.ip.send(packet, c.options.device, dont_fragment=True)


def send_ack(c: "Connection") -> None:
    """Acknowledge now."""
    transmit(c, c.snd_nxt, ACK)


def send_challenge(c: "Connection") -> None:
    """A challenge ACK, at a limited rate (RFC 5961 section 7)."""
    now = c.stack.now
    if c.challenged_at is not None and now - c.challenged_at < _CHALLENGE_INTERVAL:
        return
    c.challenged_at = now
    c.stack.counters.tcp["TCPChallengeACK"] += 1
    send_ack(c)


def send_reset(c: "Connection") -> None:
    """Reset the peer."""
    c.stack.counters.tcp["OutRsts"] += 1
    transmit(c, c.snd_nxt, RST | ACK)


def send_syn(c: "Connection") -> None:
    """Send the SYN, or the SYN and ACK, with our options; the first time it becomes what is in flight."""
    stack = c.stack
    is_answer = c.state == SYN_RECV
    segment = wire.Segment(c.port, c.remote_port, c.iss & 0xFFFFFFFF, 0, SYN, 0, b"")
    window = min(c.options.rcvbuf, 0xFFFF)
    segment.window = window
    header = 40 if len(c.local) == 4 else 60
    segment.mss = min(c.options.mss or 65535, stack.tcp.mtu(c.remote, c.options.device) - header, 65535)
    segment.is_sack_permitted = c.has_sack or not is_answer
    if c.has_stamps or not is_answer:
        segment.stamp = (stack.now // MILLISECOND + c.stamp_offset) & 0xFFFFFFFF
        segment.stamp_echo = c.stamp_recent if is_answer else 0
    if c.rcv_scale or not is_answer:
        segment.scale = WINDOW_SCALE
    if is_answer:
        segment.flags |= ACK
        segment.ack = c.rcv_nxt & 0xFFFFFFFF
        c.rcv_adv = c.rcv_nxt + window
        c.last_ack_sent = c.rcv_nxt
    if c.snd_nxt == c.iss:
        c.snd_nxt = c.iss + 1
        c.board.records.append(Record(c.iss, c.snd_nxt, stack.now))
        c.progress_at = stack.now
    stack.counters.tcp["OutSegs"] += 1
    send_packet(c, wire.emit(segment, c.pseudo))
    c.retransmit_timer.set(stack.now + c.rtt.timeout())


def output(c: "Connection", *, is_forced: bool = False) -> bool:
    """Send what may be sent: first what is lost, then new data. True: something went out."""
    if c.state not in SENDS:
        return False
    has_sent = _resend(c)
    if c.board.lost and c.pipe >= c.congestion.window:
        return has_sent
    if not c.flight and c.sent_at and c.stack.now - c.sent_at > c.rtt.timeout():
        c.congestion.window = min(c.congestion.window, INITIAL_SEGMENTS * c.mss)  # RFC 5681 section 4.1
    while _send_next(c, is_forced):
        has_sent = True
    return has_sent


def _resend(c: "Connection") -> bool:
    has_sent = False
    while c.board.lost and (record := c.board.next_lost()) is not None:
        if c.pipe and c.pipe + record.end - record.seq > c.congestion.window:
            break
        resend(c, record)
        has_sent = True
    return has_sent


def resend(c: "Connection", record: Record) -> None:
    """Send a record again, in parts if segments have become smaller."""
    if record.end - record.seq > c.mss + 1:
        c.board.split(record, record.seq + c.mss)
    board = c.board
    if record.is_lost:
        record.is_lost = False
        board.lost -= record.end - record.seq
    record.resent_at = c.stack.now
    start = record.seq - c.snd_una
    has_fin = c.fin_sent and record.end == c.snd_nxt
    payload = bytes(c.buffer[start : start + record.end - record.seq - has_fin])
    c.stack.counters.tcp["RetransSegs"] += 1
    transmit(c, record.seq, (ACK | FIN if has_fin else ACK) | (PSH if has_fin and payload else 0), payload)
    if c.retransmit_timer.deadline is None:
        c.retransmit_timer.set(c.stack.now + c.rtt.timeout())


def _send_next(c: "Connection", is_forced: bool) -> bool:
    """Send one segment of new data, or several at once where the link cuts them, with the FIN if it is the last."""
    if c.fin_sent:
        return False
    una, nxt = c.snd_una, c.snd_nxt
    unsent = una + len(c.buffer) - nxt
    if unsent <= 0 and not c.fin_queued:
        return False
    usable = una + c.snd_wnd - nxt
    mss = c.mss
    length = min(mss, unsent, usable)
    if length < mss and not _may_send_small(c, length, unsent, usable, is_forced):
        return False
    pipe = c.pipe
    if unsent > 0 and pipe and pipe + length > c.congestion.window:
        return False
    if length == mss < c.large:
        length = max(min(unsent, usable, c.large, c.congestion.window - pipe) // mss, 1) * mss
    flags = ACK
    end = nxt + length
    now = c.stack.now
    if length == unsent:
        if length > 0:
            flags |= PSH
            if now - c.data_at < DELAYED_ACK:
                c.quick_acks = 0  # question and answer: acknowledgements ride on data (Linux: inet_csk_enter_pingpong_mode())
        if c.fin_queued and usable > length:
            flags |= FIN
            c.fin_sent = True
            end += 1
    start = nxt - una
    with memoryview(c.buffer) as buffer:
        payload = bytes(buffer[start : start + length])
    c.snd_nxt = end
    at = nxt
    while at + mss < nxt + length:
        c.board.records.append(Record(at, at + mss, now))
        at += mss
    c.board.records.append(Record(at, end, now))
    transmit(c, nxt, flags, payload)
    c.sent_at = now
    if c.is_persisting or c.retransmit_timer.deadline is None:
        c.is_persisting = False
        c.retransmit_timer.set(now + c.rtt.timeout())
    return True


def _may_send_small(c: "Connection", length: int, unsent: int, usable: int, is_forced: bool) -> bool:
    """Nagle, TCP_CORK and the sender's side of the silly window syndrome (RFC 9293 section 3.8.6.2.1)."""
    is_idle = not c.flight
    if length <= 0:
        if unsent <= 0 and usable > 0:
            return True  # the FIN alone
        if is_idle:
            start_persist(c)
        return False
    if length < unsent:  # the window cuts it
        if length >= c.snd_wnd_max // 2 or is_forced:
            return True
        if is_idle:
            start_persist(c)
        return False
    if c.fin_queued or is_forced:
        return True
    if c.options.cork:
        if c.cork_timer.deadline is None:
            c.cork_timer.set(c.stack.now + CORK_TIME)
        return False
    return c.options.no_delay or is_idle


def start_persist(c: "Connection") -> None:
    """The window is shut and nothing is in flight: probe it (RFC 9293 section 3.8.6.1)."""
    if not c.is_persisting:
        c.is_persisting = True
        c.probes = 0
        c.retransmit_timer.set(c.stack.now + c.rtt.timeout())


def schedule_ack(c: "Connection", size: int, *, is_now: bool) -> None:
    """Acknowledge data: every second full segment at once, the rest after a moment (RFC 9293 section 3.8.6.3)."""
    c.ack_pending += 1 if size <= c.mss else 2
    if is_now or c.ack_pending >= 2 or c.quick_acks > 0 or c.options.quick_ack:
        c.quick_acks -= 1
        send_ack(c)
    elif c.ack_timer.deadline is None:
        c.ack_timer.set(c.stack.now + DELAYED_ACK)


def update_window(c: "Connection") -> None:
    """The reader made room: tell it when it is worth a segment (RFC 9293 section 3.8.6.2.2)."""
    if c.state in (CLOSED, SYN_SENT, SYN_RECV, TIME_WAIT) or c.has_fin:
        return
    free = c.options.rcvbuf - c.queue.length
    told = c.rcv_adv - c.rcv_nxt
    if free - told >= min(c.options.rcvbuf // 2, 2 * c.peer_mss) and (told < c.options.rcvbuf // 2):
        send_ack(c)
        c.stack.drain()
