"""Segments that come in (RFC 9293 section 3.10.7), with RFC 5961's checks and RFC 7323's timestamps."""

from errno import ECONNREFUSED, ECONNRESET, EPIPE
from typing import TYPE_CHECKING

from sentry.netstack.interface import POLLIN, POLLOUT, POLLRDHUP
from sentry.netstack.transport.tcp import acknowledgement, handover, output, timers
from sentry.netstack.transport.tcp.congestion import INITIAL_SEGMENTS
from sentry.netstack.transport.tcp.options import WINDOW_SCALE
from sentry.netstack.transport.tcp.sequence import is_older, widen
from sentry.netstack.transport.tcp.state import (
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT1,
    FIN_WAIT2,
    LAST_ACK,
    RECEIVES,
    SYN_RECV,
    SYN_SENT,
    TIME_WAIT,
)
from sentry.netstack.wire.tcp import ACK, FIN, RST, SYN, Segment

if TYPE_CHECKING:
    from sentry.netstack.transport.tcp.connection import Connection

_STAMP_LIFETIME = 24 * 86_400 * 1_000_000_000  # RFC 7323 section 5.5


def receive(c: "Connection", segment: Segment) -> None:
    """A segment for a connection."""
    if c.state == SYN_SENT:
        _receive_syn_sent(c, segment)
        return
    if c.state == CLOSED or (c.peer is not None and not segment.flags & RST):
        return  # joined ends: an acknowledgement that was under way
    seq = widen(segment.seq, c.rcv_nxt)
    if not _is_acceptable(c, segment, seq):
        return
    if segment.flags & (RST | SYN | ACK) != ACK:
        if segment.flags & RST:
            _receive_reset(c, seq)
        elif segment.flags & SYN:
            output.send_challenge(c)  # RFC 5961 section 4.2
        return
    c.heard_at = c.stack.now
    c.keep_probes = 0
    if c.has_stamps and segment.stamp is not None and seq <= c.last_ack_sent and not is_older(segment.stamp, c.stamp_recent):
        c.stamp_recent, c.stamp_recent_at = segment.stamp, c.stack.now
    ack = widen(segment.ack, c.snd_una)
    if c.state == SYN_RECV and not _finish_handshake(c, segment, ack):
        return
    if not acknowledgement.process(c, segment, seq, ack):
        return
    _advance_close(c)
    if c.state == CLOSED:
        return
    length = len(segment.payload)
    if length or segment.flags & FIN:
        _receive_text(c, seq, segment)
    output.output(c)


def _is_acceptable(c: "Connection", segment: Segment, seq: int) -> bool:
    """PAWS, then the window (RFC 7323 section 5.3, RFC 9293 section 3.10.7.4, first)."""
    is_reset = segment.flags & RST
    if c.has_stamps and not is_reset:
        if segment.stamp is None:
            return False  # RFC 7323 section 3.2
        if is_older(segment.stamp, c.stamp_recent) and c.stack.now - c.stamp_recent_at < _STAMP_LIFETIME:
            c.stack.counters.tcp["PAWSEstab"] += 1
            output.send_challenge(c) if not segment.payload else output.send_ack(c)
            return False
    length = segment.length
    window = max(c.rcv_adv - c.rcv_nxt, 0)
    if length == 0:
        is_good = seq == c.rcv_nxt if window == 0 else c.rcv_nxt <= seq <= c.rcv_nxt + window
    elif window == 0:
        is_good = False
        if seq == c.rcv_nxt and not is_reset and not segment.flags & SYN:  # its acknowledgement counts
            segment.payload = b""
            segment.flags &= ~FIN
            output.send_ack(c)
            return True
    else:
        is_good = seq < c.rcv_nxt + window and seq + length > c.rcv_nxt
    if is_good:
        return True
    if is_reset:
        return False
    if c.state == SYN_RECV and segment.flags & SYN and seq == c.irs:
        output.send_syn(c)  # the peer did not hear the answer
    elif segment.payload or segment.flags & FIN:
        if c.state == TIME_WAIT:
            c.idle_timer.set(c.stack.now + c.stack.tcp.time_wait)
        output.send_ack(c)
    else:
        output.send_challenge(c)
    return False


def _receive_reset(c: "Connection", seq: int) -> None:
    """RFC 5961 section 3.2: only the exact number resets; RFC 1337: none ends TIME_WAIT."""
    if c.state == TIME_WAIT:
        return
    if seq != c.rcv_nxt:
        output.send_challenge(c)
        return
    c.stack.counters.tcp["EstabResets"] += 1
    if c.state == SYN_RECV:
        c.finish(ECONNREFUSED)
    else:
        c.finish(EPIPE if c.state == CLOSE_WAIT else ECONNRESET)


def _receive_syn_sent(c: "Connection", segment: Segment) -> None:
    """RFC 9293 section 3.10.7.3."""
    ack = widen(segment.ack, c.snd_una)
    has_ack = segment.flags & ACK
    if has_ack and not c.iss < ack <= c.snd_nxt:
        if not segment.flags & RST:
            c.stack.tcp.send_reset_for(c.local, c.remote, segment)
        return
    if segment.flags & RST:
        if has_ack:
            c.stack.counters.tcp["AttemptFails"] += 1
            c.finish(ECONNREFUSED)
        return
    if not segment.flags & SYN:
        return
    take_syn(c, segment)
    if not has_ack:  # a simultaneous open
        c.state = SYN_RECV
        output.send_syn(c)
        return
    _set_window(c, segment, ack)
    acknowledgement.take(c, ack)
    _establish(c)
    if c.peer is None:
        output.send_ack(c)
        output.output(c)


def take_syn(c: "Connection", segment: Segment) -> None:
    """Take the peer's number and options from its SYN."""
    c.irs = segment.seq or 1 << 32
    c.rcv_nxt = c.rcv_adv = c.irs + 1
    c.has_sack = segment.is_sack_permitted
    c.has_stamps = segment.stamp is not None
    if segment.stamp is not None:
        c.stamp_recent, c.stamp_recent_at = segment.stamp, c.stack.now
    if segment.scale is not None:
        c.snd_scale, c.rcv_scale = segment.scale, WINDOW_SCALE
    c.peer_mss = segment.mss or (536 if len(c.local) == 4 else 1220)
    c.set_mss()
    c.congestion.window = INITIAL_SEGMENTS * c.mss


def _set_window(c: "Connection", segment: Segment, ack: int) -> None:
    c.snd_wnd = segment.window  # not scaled: RFC 7323 section 2.2
    c.snd_wnd_max = max(c.snd_wnd_max, c.snd_wnd)
    c.snd_wl1, c.snd_wl2 = c.irs, ack


def _finish_handshake(c: "Connection", segment: Segment, ack: int) -> bool:
    """The third segment (RFC 9293 section 3.10.7.4, fifth, SYN-RECEIVED). False: the segment is dropped."""
    if not c.iss < ack <= c.snd_nxt:
        c.stack.tcp.send_reset_for(c.local, c.remote, segment)
        return False
    if c.listener is not None and not c.listener.has_room():
        c.stack.counters.tcp["ListenOverflows"] += 1
        return False
    c.snd_wnd = segment.window << c.snd_scale
    c.snd_wnd_max = c.snd_wnd
    c.snd_wl1, c.snd_wl2 = widen(segment.seq, c.rcv_nxt), ack
    acknowledgement.take(c, ack)
    _establish(c)
    return True


def _establish(c: "Connection") -> None:
    c.state = ESTABLISHED
    c.retries = 0
    c.rcv_adv = max(c.rcv_adv, c.rcv_nxt)
    listener, c.listener = c.listener, None
    timers.start_keepalive(c)
    peer = c.stack.tcp.find(c.remote, c.remote_port, c.local, c.port)
    if peer is not None and peer is not c:
        handover.start(c, peer)
    if listener is not None:
        listener.establish(c)
    if c.fin_queued:
        c.fin_queued = False
        c.queue_fin()
    c.waker.wake(POLLOUT)


def _advance_close(c: "Connection") -> None:
    """Our FIN was acknowledged (RFC 9293 section 3.10.7.4, fifth)."""
    if not c.fin_sent or c.snd_una != c.snd_nxt:
        return
    if c.state == FIN_WAIT1:
        c.state = FIN_WAIT2
        if c.is_orphan:
            c.idle_timer.set(c.stack.now + c.options.fin_timeout)
    elif c.state == CLOSING:
        c.stack.tcp.enter_time_wait(c)
    elif c.state == LAST_ACK:
        c.finish(0)


def _receive_text(c: "Connection", seq: int, segment: Segment) -> None:
    """Data and FIN; the urgent pointer is not looked at: urgent data is data (RFC 6093 section 5 advises so)."""
    payload, has_fin = segment.payload, bool(segment.flags & FIN)
    if c.state not in RECEIVES:
        output.schedule_ack(c, 0, is_now=True)
        return
    if payload and c.is_orphan and seq + len(payload) > c.rcv_nxt:
        # nobody will read it (RFC 9293 MUST-16; RFC 2525 section 2.17): as if there were no connection (section 3.10.7.1)
        c.stack.tcp.send_reset_for(c.local, c.remote, segment)
        c.finish(0)
        return
    start = max(c.rcv_nxt - seq, 0)
    end = max(c.rcv_adv, c.rcv_nxt) - seq
    if end < len(payload):
        payload, has_fin = payload[:end], False
    is_gap = seq > c.rcv_nxt
    if is_gap:
        _hold(c, seq, payload)
        c.stack.counters.tcp["TCPOFOQueue"] += 1
        output.send_ack(c)  # at once: a duplicate (RFC 5681 section 4.2)
        return
    fresh = payload[start:] if start else payload
    if fresh:
        c.data_at = c.stack.now
        c.rcv_nxt += len(fresh)
        c.queue.append(fresh)
    has_filled = bool(c.queue.parts)
    if has_filled:
        c.rcv_nxt = c.queue.release(c.rcv_nxt)
    is_end = has_fin and seq + len(payload) == c.rcv_nxt
    if is_end:
        _receive_fin(c)
    if c.is_read_shut:
        c.queue.read(c.queue.length)
    output.schedule_ack(c, len(fresh), is_now=has_filled or not (fresh or is_end))
    if fresh or is_end:
        c.waker.wake(POLLIN | (POLLRDHUP if is_end else 0))


def _hold(c: "Connection", seq: int, payload: bytes) -> None:
    """Keep what came early; a FIN among it comes again."""
    limits = c.stack.limits
    if payload and len(c.queue.parts) < limits.out_of_order_parts and c.queue.waiting + len(payload) <= c.options.rcvbuf:
        c.queue.hold(seq, payload)
    else:
        c.stack.counters.tcp["OfoPruned"] += 1


def _receive_fin(c: "Connection") -> None:
    """RFC 9293 section 3.10.7.4, eighth."""
    c.rcv_nxt += 1
    c.has_fin = True
    if c.state == ESTABLISHED:
        c.state = CLOSE_WAIT
    elif c.state == FIN_WAIT1:
        c.state = CLOSING
    elif c.state == FIN_WAIT2:
        c.stack.tcp.enter_time_wait(c)


