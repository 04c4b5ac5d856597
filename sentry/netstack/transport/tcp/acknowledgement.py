"""What an acknowledgement does: RFC 9293 section 3.10.7.4 (fifth), RFC 5681, RFC 6582, RFC 6675, RFC 5961 section 5."""

from typing import TYPE_CHECKING

from sentry.netstack.interface import POLLOUT
from sentry.netstack.transport.tcp import output
from sentry.netstack.transport.tcp.options import SNDBUF_MAX
from sentry.netstack.transport.tcp.scoreboard import DUPLICATES
from sentry.netstack.transport.tcp.sequence import widen
from sentry.netstack.wire.tcp import FIN, Segment

if TYPE_CHECKING:
    from sentry.netstack.transport.tcp.connection import Connection


def process(c: "Connection", segment: Segment, seq: int, ack: int) -> bool:
    """Handle the acknowledgement, window and SACK blocks. False: the segment is dropped."""
    una = c.snd_una
    if ack > c.snd_nxt or ack < una - max(c.snd_wnd_max, 1 << 16):
        output.send_challenge(c)  # RFC 5961 section 5.2
        return False
    if c.is_persisting:
        c.retries = 0  # an answered probe (RFC 9293 MUST-37)
    news = 0
    if segment.sacks and c.has_sack:
        news = _mark(c, segment)
    window = segment.window << c.snd_scale
    has_moved = window != c.snd_wnd
    if seq > c.snd_wl1 or (seq == c.snd_wl1 and ack >= c.snd_wl2):
        _update_window(c, window, seq, ack)
    if ack > una:
        take(c, ack)
    elif ack == una and c.flight and not segment.payload and not segment.flags & FIN and (news or not has_moved):
        c.duplicates += 1
    if c.board.records and (news or c.duplicates or c.recover is not None):
        _detect(c)
    return True


def _mark(c: "Connection", segment: Segment) -> int:
    """Mark the blocks, of what is in flight only (RFC 2883: a block below is a duplicate's)."""
    news = 0
    for left, right in segment.sacks:
        start, end = widen(left, c.snd_una), widen(right, c.snd_una)
        if c.snd_una < start < end <= c.snd_nxt:
            news += c.board.mark(start, end)
    return news


def _update_window(c: "Connection", window: int, seq: int, ack: int) -> None:
    c.snd_wnd, c.snd_wl1, c.snd_wl2 = window, seq, ack
    c.snd_wnd_max = max(c.snd_wnd_max, window)
    if c.is_persisting and window:
        c.is_persisting = False
        c.retransmit_timer.clear()


def take(c: "Connection", ack: int) -> None:
    """New data is acknowledged."""
    now = c.stack.now
    acked = ack - c.snd_una
    is_full = c.flight + c.mss * 2 >= c.congestion.window  # the window was what limited us (RFC 9438 section 5.8)
    newest = c.board.acknowledge(ack)
    if newest:
        c.rtt.sample(now - newest)
    had_syn = c.snd_una == c.iss
    c.snd_una = ack
    if c.buffer and not had_syn:
        del c.buffer[:acked]
    c.retries = 0
    c.rtt.backoff = 0
    c.progress_at = now
    if c.recover is not None and ack < c.recover:
        _partial(c, acked)
    else:
        if c.recover is not None:
            c.recover, c.is_loss = None, False
            c.congestion.window = max(min(c.congestion.threshold, c.flight + c.mss), 2 * c.mss)
        elif is_full:
            c.congestion.on_ack(acked, now, c.rtt.srtt)
        c.duplicates = 0
    if c.board.records:
        c.retransmit_timer.set(now + c.rtt.timeout())
    elif not c.is_persisting:
        c.retransmit_timer.clear()
    if not c.options.is_sndbuf_fixed and c.options.sndbuf < 2 * c.congestion.window:
        c.options.sndbuf += c.tune(max(min(2 * c.congestion.window, SNDBUF_MAX) - c.options.sndbuf, 0))
    if c.has_room():
        c.waker.wake(POLLOUT)


def _partial(c: "Connection", acked: int) -> None:
    """Not all of what was in flight at the loss is acknowledged (RFC 6582 section 3.2, step 3)."""
    if c.is_loss:
        c.congestion.on_ack(min(acked, 2 * c.mss), c.stack.now, c.rtt.srtt)  # RFC 3465 section 2.3
    if c.has_sack:
        return
    c.duplicates = max(c.duplicates - acked // c.mss, 0)
    if not c.is_loss and c.board.records and not c.board.lost:
        output.resend(c, c.board.records[0])


def _detect(c: "Connection") -> None:
    """Look for losses and begin fast recovery (RFC 6675 section 5, RFC 5681 section 3.2)."""
    board = c.board
    if c.has_sack:
        has_lost = board.detect(c.mss, c.rtt.smallest // 4)
        if not has_lost and c.duplicates >= DUPLICATES and c.recover is None:
            board.lose(board.records[0])
            has_lost = board.lost > 0
    else:
        has_lost = c.duplicates >= DUPLICATES and c.recover is None
        if has_lost:
            board.lose(board.records[0])
    if has_lost and c.recover is None:
        board.hint = 0
        c.recover = c.snd_nxt
        c.stack.counters.tcp["TCPFastRetrans"] += 1
        c.congestion.on_loss(c.flight, c.stack.now)
        first = board.next_lost()
        if first is not None:
            output.resend(c, first)
